// Package vectorstore is the vector database: PostgreSQL with pgvector, as the loader and the reader see it.
//
// Promise: every name in it (schema, roles, tables, views) and every column is spelled here and in bootstrap.sql. One
// transaction writes a version's embeddings, and nothing changes them after it is active. One transaction brings the
// shop's part (Snapshot) up to a newer snapshot. Failures of the connection are failure.VectorStoreUnavailable.
//
// Spec: docs/architecture.md, "The vector database".
package vectorstore

import (
	"math"
	"strconv"
	"strings"
)

const (
	// Schema holds everything of ours. The extension itself lives where its creator put it (public by default).
	Schema = "recsys"
	// LoaderRole loads, indexes and activates versions: it owns their tables.
	LoaderRole = "recsys_loader"
	// ReaderRole may read, and write CartTable and TrendingTable: functions/recommend, and people.
	ReaderRole = "recsys_reader"

	// VersionTable is the list of versions, see Version.
	VersionTable = Schema + ".embedding_version"
	// CartTable is (session uuid, item varchar, slot smallint, period bigint, number bigint, seen_at timestamptz):
	// the carts of recent sessions. Rows are added and never changed. A partition (CartPartition) is emptied as a
	// whole.
	CartTable = Schema + ".cart_item"
	// CartSlots is the number of its partitions, by slot.
	CartSlots = 4
	// TrendingTable is (counted_to bigint, items text[], scores float8[], updated_at timestamptz): the items in those carts
	// with their scores, the best first. The row with the highest counted_to is valid: it counts all carts up to that number.
	TrendingTable = Schema + ".trend"
	// ItemView and UserView show the active version to people and to existing clients.
	ItemView = Schema + ".item_emb"
	UserView = Schema + ".user_emb"

	// WithoutModelTable is (shop jsonb), one row: the shop of WithoutModel, which has no row in VersionTable.
	WithoutModelTable = Schema + ".shop_without_model"

	// Unlimited is the stock of a product that is never sold out.
	Unlimited = int32(math.MaxInt32)

	// AnyCountry is the country of the rows that count an item over all countries.
	AnyCountry = ""
)

// ItemTable is (id varchar primary key, embedding vector(n)), with an HNSW index once the version is indexed.
func ItemTable(version int64) string { return ItemView + "_" + strconv.FormatInt(version, 10) }

// UserTable is (id primary key, embedding vector(n)). The id has the IDType of the version's shop.
func UserTable(version int64) string { return UserView + "_" + strconv.FormatInt(version, 10) }

// PopularityTable is (country text, item varchar, count float8), primary key (country, item), and an index on
// (country, count desc, item). The country is the value of the shop's Group, spelled as CountryKey does. AnyCountry counts
// over all of them, and has every item of the version, with 0 for those without an interaction. An earlier release made
// the count bigint.
func PopularityTable(version int64) string {
	return Schema + ".item_popularity_" + strconv.FormatInt(version, 10)
}

// RatedTable is (customer, item varchar), primary key (customer, item): the items that are not recommended to each customer
// again, as shape.Shop.Excludes says. The customer has the IDType of the version's shop.
func RatedTable(version int64) string { return Schema + ".user_item_" + strconv.FormatInt(version, 10) }

// HistoryTable is (customer, item varchar), primary key (customer, item): the items of each customer's history that may be
// recommended again. With RatedTable it is the whole history, by which NeighbourTable ranks. A version whose vectors rank alone
// has no rows.
func HistoryTable(version int64) string {
	return Schema + ".user_history_" + strconv.FormatInt(version, 10)
}

// AttributeTable is (item varchar primary key, line varchar, stock int), of all products of the shop with a stock or a line. The
// stock is Unlimited if nobody can tell it.
func AttributeTable(version int64) string {
	return Schema + ".item_attribute_" + strconv.FormatInt(version, 10)
}

// CartPartition returns the partition of CartTable that holds a slot. It has a letter, because numbers are versions.
func CartPartition(slot int) string { return CartTable + "_" + "abcd"[slot:slot+1] }

// CodeTable is (item varchar primary key, folded varchar unique, gone boolean): the codes of the shop's products and of
// the version's items. The only code of its fold (productcode.Fold) has that in folded, others have null. If an item and a
// product share a fold, the product has it. An item is gone if the newest snapshot of the shop does not hold it.
func CodeTable(version int64) string { return Schema + ".item_code_" + strconv.FormatInt(version, 10) }

// NeighbourTable is (item varchar primary key, number int unique, targets int[], weights real[]): the item-item model that
// ranks next to the vectors, a row for each product that is a source or a target. targets are numbers of products, in ascending
// order, and weights have the same places. A version whose vectors rank alone has no rows. One of an earlier release has no
// such table.
func NeighbourTable(version int64) string {
	return Schema + ".item_neighbour_" + strconv.FormatInt(version, 10)
}

// Tables are all those of a version.
func Tables(version int64) []string {
	return []string{ItemTable(version), UserTable(version), NeighbourTable(version), PopularityTable(version), RatedTable(version), HistoryTable(version), AttributeTable(version), CodeTable(version)}
}

// ItemIndex is the name of the HNSW index on ItemTable, without the schema (an index lives in its table's).
func ItemIndex(version int64) string {
	return "item_emb_" + strconv.FormatInt(version, 10) + "_hnsw"
}

// CountryKey returns a country as PopularityTable spells it: trimmed, in lower case.
func CountryKey(country string) string { return strings.ToLower(strings.TrimSpace(country)) }
