-- Tables of PrestaShop 8 with the usual prefix. Only the columns that a shop file may need. Names, types, defaults and keys were
-- compared with PrestaShop/PrestaShop, install-dev/data/db_structure.sql at 61967d5e.
CREATE TABLE ps_configuration (
  id_configuration int(10) unsigned NOT NULL AUTO_INCREMENT,
  id_shop_group int(11) unsigned DEFAULT NULL,
  id_shop int(11) unsigned DEFAULT NULL,
  name varchar(254) NOT NULL,
  value text,
  date_add datetime NOT NULL,
  date_upd datetime NOT NULL,
  PRIMARY KEY (id_configuration),
  KEY name (name)
);
CREATE TABLE ps_currency (
  id_currency int(10) unsigned NOT NULL AUTO_INCREMENT,
  iso_code varchar(3) NOT NULL DEFAULT '0',
  conversion_rate decimal(13,6) NOT NULL,
  deleted tinyint(1) unsigned NOT NULL DEFAULT '0',
  active tinyint(1) unsigned NOT NULL DEFAULT '1',
  PRIMARY KEY (id_currency),
  KEY currency_iso_code (iso_code)
);
CREATE TABLE ps_country_lang (
  id_country int(10) unsigned NOT NULL,
  id_lang int(10) unsigned NOT NULL,
  name varchar(64) NOT NULL,
  PRIMARY KEY (id_country, id_lang)
);
CREATE TABLE ps_customer (
  id_customer int(10) unsigned NOT NULL AUTO_INCREMENT,
  id_shop int(11) unsigned NOT NULL DEFAULT '1',
  id_default_group int(10) unsigned NOT NULL DEFAULT '1',
  firstname varchar(255) NOT NULL,
  lastname varchar(255) NOT NULL,
  email varchar(255) NOT NULL,
  active tinyint(1) unsigned NOT NULL DEFAULT '0',
  is_guest tinyint(1) NOT NULL DEFAULT '0',
  deleted tinyint(1) NOT NULL DEFAULT '0',
  date_add datetime NOT NULL,
  PRIMARY KEY (id_customer),
  KEY customer_email (email),
  KEY id_shop (id_shop, date_add)
);
CREATE TABLE ps_address (
  id_address int(10) unsigned NOT NULL AUTO_INCREMENT,
  id_country int(10) unsigned NOT NULL,
  id_customer int(10) unsigned NOT NULL DEFAULT '0',
  alias varchar(32) NOT NULL,
  postcode varchar(12) DEFAULT NULL,
  city varchar(64) NOT NULL,
  active tinyint(1) unsigned NOT NULL DEFAULT '1',
  deleted tinyint(1) unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (id_address),
  KEY address_customer (id_customer),
  KEY id_country (id_country)
);
CREATE TABLE ps_category_lang (
  id_category int(10) unsigned NOT NULL,
  id_shop int(11) unsigned NOT NULL DEFAULT '1',
  id_lang int(10) unsigned NOT NULL,
  name varchar(128) NOT NULL,
  PRIMARY KEY (id_category, id_shop, id_lang),
  KEY category_name (name)
);
CREATE TABLE ps_product (
  id_product int(10) unsigned NOT NULL AUTO_INCREMENT,
  id_category_default int(10) unsigned DEFAULT NULL,
  quantity int(10) NOT NULL DEFAULT '0',
  price decimal(20,6) NOT NULL DEFAULT '0.000000',
  reference varchar(64) DEFAULT NULL,
  active tinyint(1) unsigned NOT NULL DEFAULT '0',
  available_for_order tinyint(1) NOT NULL DEFAULT '1',
  date_add datetime NOT NULL,
  state int(11) unsigned NOT NULL DEFAULT '1',
  product_type enum('standard','pack','virtual','combinations','') NOT NULL DEFAULT '',
  PRIMARY KEY (id_product),
  KEY reference_idx (reference),
  KEY id_category_default (id_category_default)
);
CREATE TABLE ps_product_shop (
  id_product int(10) unsigned NOT NULL,
  id_shop int(10) unsigned NOT NULL,
  id_category_default int(10) unsigned DEFAULT NULL,
  price decimal(20,6) NOT NULL DEFAULT '0.000000',
  active tinyint(1) unsigned NOT NULL DEFAULT '0',
  available_for_order tinyint(1) NOT NULL DEFAULT '1',
  PRIMARY KEY (id_product, id_shop),
  KEY id_category_default (id_category_default)
);
CREATE TABLE ps_product_lang (
  id_product int(10) unsigned NOT NULL,
  id_shop int(11) unsigned NOT NULL DEFAULT '1',
  id_lang int(10) unsigned NOT NULL,
  name varchar(128) NOT NULL,
  PRIMARY KEY (id_product, id_shop, id_lang),
  KEY id_lang (id_lang),
  KEY name (name)
);
CREATE TABLE ps_product_attribute (
  id_product_attribute int(10) unsigned NOT NULL AUTO_INCREMENT,
  id_product int(10) unsigned NOT NULL,
  reference varchar(64) DEFAULT NULL,
  price decimal(20,6) NOT NULL DEFAULT '0.000000',
  PRIMARY KEY (id_product_attribute),
  KEY product_attribute_product (id_product)
);
CREATE TABLE ps_stock_available (
  id_stock_available int(11) unsigned NOT NULL AUTO_INCREMENT,
  id_product int(11) unsigned NOT NULL,
  id_product_attribute int(11) unsigned NOT NULL,
  id_shop int(11) unsigned NOT NULL,
  id_shop_group int(11) unsigned NOT NULL,
  quantity int(10) NOT NULL DEFAULT '0',
  out_of_stock tinyint(1) unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (id_stock_available),
  UNIQUE KEY product_sqlstock (id_product, id_product_attribute, id_shop, id_shop_group)
);
CREATE TABLE ps_order_state (
  id_order_state int(10) unsigned NOT NULL AUTO_INCREMENT,
  logable tinyint(1) NOT NULL DEFAULT '0',
  shipped tinyint(1) unsigned NOT NULL DEFAULT '0',
  paid tinyint(1) unsigned NOT NULL DEFAULT '0',
  deleted tinyint(1) unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (id_order_state)
);
CREATE TABLE ps_orders (
  id_order int(10) unsigned NOT NULL AUTO_INCREMENT,
  reference varchar(9),
  id_shop int(11) unsigned NOT NULL DEFAULT '1',
  id_lang int(10) unsigned NOT NULL,
  id_customer int(10) unsigned NOT NULL,
  id_currency int(10) unsigned NOT NULL,
  current_state int(10) unsigned NOT NULL,
  conversion_rate decimal(13,6) NOT NULL DEFAULT 1,
  total_paid decimal(20,6) NOT NULL DEFAULT '0.00',
  invoice_date datetime NOT NULL,
  delivery_date datetime NOT NULL,
  valid int(1) unsigned NOT NULL DEFAULT '0',
  date_add datetime NOT NULL,
  PRIMARY KEY (id_order),
  KEY reference (reference),
  KEY id_customer (id_customer),
  KEY id_currency (id_currency),
  KEY (current_state),
  KEY id_shop (id_shop),
  INDEX date_add (date_add)
);
CREATE TABLE ps_order_detail (
  id_order_detail int(10) unsigned NOT NULL AUTO_INCREMENT,
  id_order int(10) unsigned NOT NULL,
  id_shop int(11) unsigned NOT NULL,
  product_id int(10) unsigned NOT NULL,
  product_attribute_id int(10) unsigned DEFAULT NULL,
  product_name text NOT NULL,
  product_quantity int(10) unsigned NOT NULL DEFAULT '0',
  product_quantity_refunded int(10) unsigned NOT NULL DEFAULT '0',
  product_quantity_return int(10) unsigned NOT NULL DEFAULT '0',
  product_reference varchar(64) DEFAULT NULL,
  unit_price_tax_incl decimal(20,6) NOT NULL DEFAULT '0.000000',
  unit_price_tax_excl decimal(20,6) NOT NULL DEFAULT '0.000000',
  PRIMARY KEY (id_order_detail),
  KEY order_detail_order (id_order),
  KEY product_id (product_id, product_attribute_id)
);
