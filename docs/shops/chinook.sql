-- The Chinook sample database as a shop: a track is a product, and the purchases of a track by a customer are a rating.
-- Tracks are files, so there is always one in stock.
USE `Chinook`;

CREATE VIEW customers AS
  SELECT CustomerId AS customerNumber, City AS city, State AS state, PostalCode AS postalCode, Country AS country, CAST(NULL AS DECIMAL(10,2)) AS creditLimit
  FROM Customer;
CREATE VIEW products AS
  SELECT t.TrackId AS productCode, g.Name AS productLine, m.Name AS productScale, 1 AS quantityInStock, t.UnitPrice AS buyPrice, t.UnitPrice AS MSRP
  FROM Track t LEFT JOIN Genre g USING (GenreId) JOIN MediaType m USING (MediaTypeId);
CREATE VIEW ratings AS
  SELECT i.CustomerId AS customerNumber, l.TrackId AS productCode, LEAST(2 + COUNT(*), 5) AS productRating
  FROM Invoice i JOIN InvoiceLine l USING (InvoiceId) GROUP BY i.CustomerId, l.TrackId;
