-- Tables of WooCommerce with High-Performance Order Storage, and of WordPress under it. Only the columns that a shop file may
-- need. Names, types, defaults and keys were compared with:
--   woocommerce/woocommerce, plugins/woocommerce/includes/class-wc-install.php at 0129f192 (11.2 in development) for wc_*_lookup,
--   plugins/woocommerce/src/Internal/DataStores/Orders/OrdersTableDataStore.php (8.2 and later) for wc_orders and wc_orders_meta,
--   WordPress/WordPress, wp-admin/includes/schema.php at 0069db85, with option_name and key lengths as since 4.4, for the others.
CREATE TABLE wp_options (
  option_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  option_name varchar(191) NOT NULL DEFAULT '',
  option_value longtext NOT NULL,
  PRIMARY KEY (option_id),
  UNIQUE KEY option_name (option_name)
);
CREATE TABLE wp_usermeta (
  umeta_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  user_id bigint(20) unsigned NOT NULL DEFAULT 0,
  meta_key varchar(255) DEFAULT NULL,
  meta_value longtext,
  PRIMARY KEY (umeta_id),
  KEY user_id (user_id),
  KEY meta_key (meta_key(191))
);
CREATE TABLE wp_posts (
  ID bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  post_date datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_date_gmt datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  post_title text NOT NULL,
  post_status varchar(20) NOT NULL DEFAULT 'publish',
  post_parent bigint(20) unsigned NOT NULL DEFAULT 0,
  post_type varchar(20) NOT NULL DEFAULT 'post',
  PRIMARY KEY (ID),
  KEY type_status_date (post_type, post_status, post_date, ID),
  KEY post_parent (post_parent)
);
CREATE TABLE wp_terms (
  term_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name varchar(200) NOT NULL DEFAULT '',
  slug varchar(200) NOT NULL DEFAULT '',
  PRIMARY KEY (term_id),
  KEY slug (slug(191)),
  KEY name (name(191))
);
CREATE TABLE wp_term_taxonomy (
  term_taxonomy_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  term_id bigint(20) unsigned NOT NULL DEFAULT 0,
  taxonomy varchar(32) NOT NULL DEFAULT '',
  parent bigint(20) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (term_taxonomy_id),
  UNIQUE KEY term_id_taxonomy (term_id, taxonomy),
  KEY taxonomy (taxonomy)
);
CREATE TABLE wp_term_relationships (
  object_id bigint(20) unsigned NOT NULL DEFAULT 0,
  term_taxonomy_id bigint(20) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (object_id, term_taxonomy_id),
  KEY term_taxonomy_id (term_taxonomy_id)
);
CREATE TABLE wp_wc_product_meta_lookup (
  product_id bigint(20) NOT NULL,
  sku varchar(100) NULL DEFAULT '',
  min_price decimal(19,4) NULL DEFAULT NULL,
  max_price decimal(19,4) NULL DEFAULT NULL,
  stock_quantity double NULL DEFAULT NULL,
  stock_status varchar(100) NULL DEFAULT 'instock',
  PRIMARY KEY (product_id),
  KEY stock_status (stock_status),
  KEY stock_quantity (stock_quantity),
  KEY min_max_price (min_price, max_price),
  KEY sku (sku(50))
);
CREATE TABLE wp_wc_customer_lookup (
  customer_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  user_id bigint(20) unsigned DEFAULT NULL,
  username varchar(60) DEFAULT '' NOT NULL,
  first_name varchar(255) NOT NULL,
  last_name varchar(255) NOT NULL,
  email varchar(100) NULL DEFAULT NULL,
  date_registered timestamp NULL DEFAULT NULL,
  country char(2) DEFAULT '' NOT NULL,
  postcode varchar(20) DEFAULT '' NOT NULL,
  city varchar(100) DEFAULT '' NOT NULL,
  state varchar(100) DEFAULT '' NOT NULL,
  PRIMARY KEY (customer_id),
  UNIQUE KEY user_id (user_id),
  KEY email (email)
);
CREATE TABLE wp_wc_orders (
  id bigint(20) unsigned,
  status varchar(20) NULL,
  currency varchar(10) NULL,
  type varchar(20) NULL,
  total_amount decimal(26,8) NULL,
  customer_id bigint(20) unsigned NULL,
  billing_email varchar(320) NULL,
  date_created_gmt datetime NULL,
  parent_order_id bigint(20) unsigned NULL,
  PRIMARY KEY (id),
  KEY status (status),
  KEY date_created (date_created_gmt),
  KEY customer_id_billing_email (customer_id, billing_email),
  KEY type_status (type, status),
  KEY parent_order_id (parent_order_id)
);
CREATE TABLE wp_wc_orders_meta (
  id bigint(20) unsigned AUTO_INCREMENT PRIMARY KEY,
  order_id bigint(20) unsigned NULL,
  meta_key varchar(255),
  meta_value text NULL,
  KEY meta_key_value (meta_key, meta_value(100)),
  KEY order_id_meta_key_meta_value (order_id, meta_key, meta_value(100))
);
CREATE TABLE wp_wc_order_product_lookup (
  order_item_id bigint(20) unsigned NOT NULL,
  order_id bigint(20) unsigned NOT NULL,
  product_id bigint(20) unsigned NOT NULL,
  variation_id bigint(20) unsigned NOT NULL,
  customer_id bigint(20) unsigned NULL,
  date_created datetime DEFAULT CURRENT_TIMESTAMP NOT NULL,
  product_qty int(11) NOT NULL,
  product_net_revenue double DEFAULT 0 NOT NULL,
  product_gross_revenue double DEFAULT 0 NOT NULL,
  PRIMARY KEY (order_item_id, order_id),
  KEY order_id (order_id),
  KEY product_id (product_id),
  KEY customer_id (customer_id),
  KEY date_created (date_created),
  KEY customer_product_date (customer_id, product_id, date_created)
);
