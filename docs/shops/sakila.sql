-- The Sakila sample database as a shop: a film is a product, and the rentals of a film by a customer are a rating.
-- One rental counts as 3 stars, three and more as 5.
USE sakila;

CREATE VIEW customers AS
  SELECT c.customer_id AS customerNumber, ci.city, a.district AS state, a.postal_code AS postalCode, co.country, CAST(NULL AS DECIMAL(10,2)) AS creditLimit
  FROM customer c JOIN address a USING (address_id) JOIN city ci USING (city_id) JOIN country co USING (country_id);
CREATE VIEW products AS
  SELECT f.film_id AS productCode, MIN(c.name) AS productLine, f.rating AS productScale,
         (SELECT COUNT(*) FROM inventory i WHERE i.film_id = f.film_id) AS quantityInStock,
         f.rental_rate AS buyPrice, f.replacement_cost AS MSRP
  FROM film f LEFT JOIN film_category fc USING (film_id) LEFT JOIN category c USING (category_id) GROUP BY f.film_id;
CREATE VIEW ratings AS
  SELECT r.customer_id AS customerNumber, i.film_id AS productCode, LEAST(2 + COUNT(*), 5) AS productRating
  FROM rental r JOIN inventory i USING (inventory_id) GROUP BY r.customer_id, i.film_id;
