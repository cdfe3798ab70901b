package vectorstore

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"recsys/shared/contract/shape"
)

// IDType returns the type of the columns of customers in a version's tables: int, bigint or text.
func IDType(customer shape.ID) string {
	switch customer.Type {
	case shape.Int:
		return "int"
	case shape.BigInt:
		return "bigint"
	}
	return "text"
}

// customerRows is rows that begin with a customer's id as text, and yields the id as the tables hold it. An id that is no
// text stays as it is.
type customerRows struct {
	pgx.CopyFromSource
	customer shape.ID
}

func (r customerRows) Values() ([]any, error) {
	row, err := r.CopyFromSource.Values()
	if err != nil {
		return nil, err
	}
	if id, isText := row[0].(string); isText {
		if row[0], err = r.customer.Type.Value(id); err != nil {
			return nil, fmt.Errorf("the id %.60q does not fit the type of the shop's customers, %s: %w", id, IDType(r.customer), err)
		}
	}
	return row, nil
}
