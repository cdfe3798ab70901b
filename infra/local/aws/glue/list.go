package glue

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"

	"recsys/infra/local/aws/awsjson"
)

// maxPage is Glue's largest page, and the default.
const maxPage = 100

// page holds the arguments of each listing. The token is the last name of the page before.
type page struct {
	MaxResults int
	NextToken  string
}

type listDatabasesInput struct{ page }

type listTablesInput struct {
	page
	DatabaseName string
	Expression   string // a regular expression over the whole name, optional
}

type listPartitionsInput struct{ DatabaseName, TableName string }

type (
	databasesOutput struct {
		DatabaseList []entity
		NextToken    string `json:",omitempty"`
	}
	tablesOutput struct {
		TableList []entity
		NextToken string `json:",omitempty"`
	}
	partitionsOutput struct{ Partitions []entity }
)

func (in listDatabasesInput) Resource() string { return "" }
func (in listTablesInput) Resource() string    { return strings.ToLower(in.DatabaseName) }
func (in listPartitionsInput) Resource() string {
	return strings.ToLower(in.DatabaseName + "/" + in.TableName)
}

func (c *catalog) getDatabases(_ context.Context, in listDatabasesInput) (out databasesOutput, err error) {
	names, next, err := c.names(in.page, "", nil)
	if err != nil {
		return out, err
	}
	out.NextToken = next
	out.DatabaseList, err = c.readAll(names)
	return out, err
}

func (c *catalog) getTables(_ context.Context, in listTablesInput) (out tablesOutput, err error) {
	database := in.Resource()
	if _, err := c.read(database); err != nil {
		return out, err
	}
	var wanted *regexp.Regexp
	if in.Expression != "" {
		if wanted, err = regexp.Compile("^(?:" + in.Expression + ")$"); err != nil {
			return out, awsjson.Errorf("InvalidInputException", "the expression %q is no regular expression", in.Expression)
		}
	}
	names, next, err := c.names(in.page, database, wanted)
	if err != nil {
		return out, err
	}
	out.NextToken = next
	out.TableList, err = c.readAll(names, database)
	return out, err
}

// getPartitions answers with none: the table's partitions are projected, and no partition is ever registered here.
func (c *catalog) getPartitions(_ context.Context, in listPartitionsInput) (partitionsOutput, error) {
	_, err := c.read(strings.ToLower(in.DatabaseName), strings.ToLower(in.TableName))
	return partitionsOutput{[]entity{}}, err
}

// names returns a page of the names in a folder of the catalog, in their order.
func (c *catalog) names(in page, folder string, wanted *regexp.Regexp) (names []string, next string, err error) {
	if in.MaxResults == 0 {
		in.MaxResults = maxPage
	}
	if in.MaxResults < 0 || in.MaxResults > maxPage {
		return nil, "", awsjson.Errorf("InvalidInputException", "MaxResults is %d: want 1 to %d", in.MaxResults, maxPage)
	}
	entries, err := os.ReadDir(strings.TrimSuffix(c.path(folder), ".json"))
	if err != nil && !os.IsNotExist(err) { // a database without a table has no folder
		return nil, "", err
	}
	for _, entry := range entries {
		name, isEntity := strings.CutSuffix(entry.Name(), ".json")
		if isEntity && name > in.NextToken && (wanted == nil || wanted.MatchString(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > in.MaxResults {
		names = names[:in.MaxResults]
		next = names[len(names)-1]
	}
	return names, next, nil
}

// readAll reads entities. One that was deleted meanwhile is left out.
func (c *catalog) readAll(names []string, database ...string) ([]entity, error) {
	found := []entity{}
	for _, name := range names {
		one, err := c.read(append(slices.Clone(database), name)...)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}
