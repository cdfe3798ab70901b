-- Makes an empty database ready, and changes nothing in one that is: run it as often as you like.
--
-- Run as the owner of the database, who may create roles and is no superuser (as on RDS): PostgreSQL 15 and
-- later let the database's owner create the trusted extension and, from 16, administer the roles it creates.
-- Roles have no password here: on RDS they get rds_iam, elsewhere whoever deploys sets one.

select pg_advisory_xact_lock(hashtext('recsys.bootstrap'));

create extension if not exists vector;

-- A server that was patched brings a newer release, which a database takes only when it is told to.
alter extension vector update;

create schema if not exists recsys;

-- Roles belong to the whole server: another database's bootstrap may be creating them right now.
do $$
declare
  wanted name;
begin
  foreach wanted in array array['recsys_loader', 'recsys_reader']::name[] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I login', wanted);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    execute format('grant connect, temporary on database %I to %I', current_database(), wanted);
  end loop;
end $$;

-- On RDS with IAM authentication the functions connect with tokens of their own roles.
do $$
declare
  who name;
begin
  foreach who in array array['recsys_loader', 'recsys_reader']::name[] loop
    if exists (select from pg_roles where rolname = 'rds_iam' and not pg_has_role(who, oid, 'member')) then
      execute format('grant rds_iam to %I', who);
    end if;
  end loop;
end $$;

-- The loader creates, owns and drops the tables of the versions, and grants the reader what it may read.
grant usage, create on schema recsys to recsys_loader;
grant usage on schema recsys to recsys_reader;

-- One row a version, kept for ever: the history of what answered when.
create table if not exists recsys.embedding_version (
  version             bigint primary key,          -- 1, 2, 3 … without gaps; newer artifacts have a higher number
  run                 text not null unique,        -- the run that loaded it: tried again, it gets the same number
  status              text not null check (status in ('loading', 'loaded', 'active', 'retired', 'failed')),
  metric              text not null,               -- a name of package distance, see below
  artifacts           jsonb not null,              -- key → ETag of what was handed over or trained
  has_model           boolean not null default false,
  dimension           int check (dimension between 1 and 2000),
  item_count          bigint,
  user_count          bigint,
  popularity_snapshot text,                        -- the snapshot that the tables of the shop were loaded from
  popularity_of       timestamptz,                 -- when that snapshot's run started
  recall              double precision,            -- recall@10 against exact search, measured
  ef_search           int,                         -- the smallest hnsw.ef_search that reaches the target
  evaluation          jsonb,                       -- the figures on held-out ratings and the gate's verdict
  compared            jsonb,                       -- how a hand-over compares with the shop
  shop                jsonb,                       -- the shape.Shop of its customers and products, NULL: the lab
  blend_kind          text,                        -- the item-item model next to the vectors, NULL: the vectors rank alone
  blend_beta          double precision,            -- its share of the score, 0 to 1
  catalogue           text,                        -- the sum of the version's catalogue.bin, NULL of an earlier release
  failure             text,                        -- why it failed
  rolled_back_by      text unique,                 -- the run that went back to the version before
  created_at          timestamptz not null default now(),
  loaded_at           timestamptz,
  activated_at        timestamptz,
  retired_at          timestamptz,
  dropped_at          timestamptz,                 -- its tables and its artifacts are gone
  check (status in ('loading', 'failed') or (dimension is not null and item_count is not null and user_count is not null)),
  check (status <> 'active' or (ef_search is not null and recall is not null and dropped_at is null))
);

-- Databases of earlier releases lack these columns.
alter table recsys.embedding_version add column if not exists evaluation jsonb;
alter table recsys.embedding_version add column if not exists compared jsonb;
alter table recsys.embedding_version add column if not exists shop jsonb;
alter table recsys.embedding_version add column if not exists blend_kind text;
alter table recsys.embedding_version add column if not exists blend_beta double precision;
alter table recsys.embedding_version add column if not exists catalogue text;

-- Where the artifacts come from. The database derives it, so that functions of an earlier release can still add rows, for
-- instance after a deployment was rolled back.
alter table recsys.embedding_version add column if not exists origin text not null
  generated always as (case when artifacts ? '{training}' then 'trained' else 'handed_over' end) stored;

-- The metrics are those of package distance. The check is replaced when they change, and its name says which they are.
-- Only then is the table locked, because each answer of the stream reads it.
do $$
declare
  wanted constant name := 'embedding_version_metric_' || md5($list${metrics}$list$);
  stale name;
begin
  if exists (select from pg_constraint where conrelid = 'recsys.embedding_version'::regclass and conname = wanted) then
    return;
  end if;
  for stale in select conname from pg_constraint
    where conrelid = 'recsys.embedding_version'::regclass and contype = 'c' and conname like 'embedding\_version\_metric\_%' loop
    execute format('alter table recsys.embedding_version drop constraint %I', stale);
  end loop;
  execute format($add$alter table recsys.embedding_version add constraint %I check (metric in ({metrics}))$add$, wanted);
end $$;

create unique index if not exists embedding_version_active on recsys.embedding_version (status) where status = 'active';

grant select, insert, update on recsys.embedding_version to recsys_loader;
grant select on recsys.embedding_version to recsys_reader;

-- The shop while no version is active, whose tables have the number 0: one row, replaced with each snapshot.
create table if not exists recsys.shop_without_model (
  shop jsonb -- as in embedding_version
);

grant select, insert, delete on recsys.shop_without_model to recsys_loader;
grant select on recsys.shop_without_model to recsys_reader;

-- What recent sessions have in their carts, of no version. functions/recommend connects as the reader and keeps these two
-- tables, the only ones that the reader may write. Rows are added and never changed, because a transaction that is open
-- for long keeps every dead row. A slot is half an hour, modulo 4. Its partition is emptied when its latest cart is an hour
-- old. So the hashes of session ids are gone after two hours, as long as carts come. (Earlier releases kept trending_item, which nothing uses any more.)
create sequence if not exists recsys.cart_item_number;
create table if not exists recsys.cart_item (
  session uuid not null,         -- a hash of the session's id
  item    varchar not null,
  slot    smallint not null,
  period  bigint not null,       -- which half hour since 1970
  number  bigint not null default nextval('recsys.cart_item_number'),
  seen_at timestamptz not null,
  primary key (session, item, slot, period)
) partition by list (slot);
create index if not exists cart_item_by_number on recsys.cart_item (number);
create table if not exists recsys.cart_item_a partition of recsys.cart_item for values in (0);
create table if not exists recsys.cart_item_b partition of recsys.cart_item for values in (1);
create table if not exists recsys.cart_item_c partition of recsys.cart_item for values in (2);
create table if not exists recsys.cart_item_d partition of recsys.cart_item for values in (3);

-- The loader empties both when the deployment gets another shop, whose products may have the same ids.
grant select, truncate on recsys.cart_item to recsys_loader;
grant select, insert on recsys.cart_item to recsys_reader;
grant truncate on recsys.cart_item_a, recsys.cart_item_b, recsys.cart_item_c, recsys.cart_item_d to recsys_reader;
grant usage on sequence recsys.cart_item_number to recsys_reader;

-- The scores of the items in those carts: one row, replaced about once a minute. The row with the highest counted_to is valid.
create table if not exists recsys.trend (
  counted_to bigint primary key,  -- carts up to this number are counted
  items      text[] not null,     -- some hundred, the best first
  scores     float8[] not null,   -- sessions with it in the cart, each worth half after a half-life; at updated_at
  updated_at timestamptz not null
);

grant select, truncate on recsys.trend to recsys_loader;
grant select, insert, delete on recsys.trend to recsys_reader;

-- People who connect as these roles find the views item_emb and user_emb by their plain names.
do $$
declare
  who name;
begin
  foreach who in array array['recsys_loader', 'recsys_reader']::name[] loop
    execute format('alter role %I in database %I set search_path = recsys, public', who, current_database());
  end loop;
exception when insufficient_privilege then
  raise notice 'the roles were created by someone else: their search_path stays as it is';
end $$;
