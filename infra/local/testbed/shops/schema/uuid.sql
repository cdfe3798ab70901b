-- A plain shop as web frameworks lay it out, with UUIDs in BINARY(16).
CREATE TABLE users (
  id binary(16) PRIMARY KEY,
  email varchar(255) NOT NULL,
  city varchar(100),
  country char(2),
  is_staff tinyint(1) NOT NULL DEFAULT 0,
  created_at timestamp NULL DEFAULT NULL,
  UNIQUE KEY users_email_unique (email)
);
CREATE TABLE products (
  id binary(16) PRIMARY KEY,
  sku varchar(64) NOT NULL,
  name varchar(255) NOT NULL,
  category varchar(100),
  price decimal(10,2) NOT NULL,
  stock int NOT NULL DEFAULT 0,
  published tinyint(1) NOT NULL DEFAULT 1,
  deleted_at timestamp NULL DEFAULT NULL
);
CREATE TABLE orders (
  id binary(16) PRIMARY KEY,
  user_id binary(16) NULL,
  status enum('completed','paid','pending','cancelled','failed','refunded') NOT NULL,
  currency char(3) NOT NULL,
  placed_at datetime NOT NULL,
  KEY orders_user_id_index (user_id)
);
CREATE TABLE order_items (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
  order_id binary(16) NOT NULL,
  product_id binary(16) NOT NULL,
  quantity int NOT NULL,
  returned int NOT NULL DEFAULT 0,
  unit_price decimal(10,2) NOT NULL,
  KEY order_items_order_id_index (order_id)
);
