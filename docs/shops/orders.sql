-- A shop with orders in place of ratings, as web frameworks lay it out. The views stand in a database of their own, because
-- the shop's tables have the same names and other columns. Change the right-hand sides to your columns.
CREATE DATABASE recsys;
USE recsys;

CREATE VIEW customers AS
  SELECT c.id AS customerNumber, c.city, NULLIF(c.state, '') AS state, c.postcode AS postalCode, c.country,
         CAST(NULL AS DECIMAL(10,2)) AS creditLimit
  FROM shop.customers c;

CREATE VIEW products AS
  SELECT p.sku AS productCode, COALESCE(p.category, 'none') AS productLine, 'none' AS productScale,
         p.stock AS quantityInStock, p.price AS buyPrice, p.price AS MSRP
  FROM shop.products p;

-- One order of a product counts as 3 stars, three and more as 5. Guests, cancelled orders and deleted products are left out.
CREATE VIEW ratings AS
  SELECT o.customer_id AS customerNumber, p.sku AS productCode, LEAST(2 + COUNT(DISTINCT o.id), 5) AS productRating
  FROM shop.orders o
  JOIN shop.order_items i ON i.order_id = o.id
  JOIN shop.products p ON p.id = i.product_id
  WHERE o.customer_id IS NOT NULL AND o.status IN ('paid', 'shipped') AND i.quantity > 0
  GROUP BY o.customer_id, p.sku;
