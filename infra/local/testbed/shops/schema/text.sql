-- A plain shop with text ids, in the character set latin1 as old shops have it. Its collation tells no case.
CREATE TABLE customers (
  id varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY,
  city varchar(100),
  country char(2),
  kind varchar(10) NOT NULL
);
CREATE TABLE items (
  code varchar(60) CHARACTER SET utf8mb4 PRIMARY KEY,
  label varchar(255) NOT NULL,
  category varchar(100),
  price decimal(10,2) NOT NULL,
  stock int NOT NULL DEFAULT 0
);
CREATE TABLE sales (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
  customer varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci,
  code varchar(60) CHARACTER SET utf8mb4 NOT NULL,
  sold_at datetime NOT NULL,
  pieces decimal(8,2) NOT NULL,
  status varchar(10) NOT NULL,
  KEY customer (customer)
);
