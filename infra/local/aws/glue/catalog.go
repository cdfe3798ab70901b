package glue

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"recsys/infra/local/aws/awsjson"
)

// entity is a database or a table: the input's members as they came, and those that Glue adds.
type entity map[string]json.RawMessage

type catalog struct {
	dir string
	now func() time.Time
	mu  sync.Mutex // over a change's reading and writing
}

// validName is a name that Athena allows, and a file system, too.
var validName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,254}$`)

type createDatabaseInput struct{ DatabaseInput entity }

type databaseInput struct{ Name string }

type tableInput struct{ DatabaseName, Name string }

type putTableInput struct {
	DatabaseName string
	TableInput   entity
	VersionId    string // UpdateTable only, optional: the version that is to be replaced
}

type (
	nothing        struct{}
	databaseOutput struct{ Database entity }
	tableOutput    struct{ Table entity }
)

func (in createDatabaseInput) Resource() string { return in.DatabaseInput.name() }
func (in databaseInput) Resource() string       { return strings.ToLower(in.Name) }
func (in tableInput) Resource() string          { return strings.Join(in.names(), "/") }
func (in putTableInput) Resource() string       { return strings.Join(in.names(), "/") }

// names are those of the database and of the table.
func (in tableInput) names() []string {
	return []string{strings.ToLower(in.DatabaseName), strings.ToLower(in.Name)}
}

func (in putTableInput) names() []string {
	return []string{strings.ToLower(in.DatabaseName), in.TableInput.name()}
}

func (e entity) name() string { return strings.ToLower(e.text("Name")) }

func (e entity) text(member string) string {
	var text string
	_ = json.Unmarshal(e[member], &text) // absent or no text: "", which is no valid name
	return text
}

func (e entity) set(member string, value any) {
	e[member], _ = json.Marshal(value) // texts and numbers only
}

func (c *catalog) createDatabase(_ context.Context, in createDatabaseInput) (nothing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	database := maps.Clone(in.DatabaseInput)
	if err := checkNames(in.Resource()); err != nil {
		return nothing{}, err
	}
	if _, err := c.read(in.Resource()); err == nil {
		return nothing{}, awsjson.Errorf("AlreadyExistsException", "Database already exists.")
	}
	database.set("Name", in.Resource())
	database.set("CreateTime", c.now().Unix())
	return nothing{}, c.write(database, in.Resource())
}

func (c *catalog) getDatabase(_ context.Context, in databaseInput) (databaseOutput, error) {
	database, err := c.read(in.Resource())
	return databaseOutput{database}, err
}

func (c *catalog) getTable(_ context.Context, in tableInput) (tableOutput, error) {
	if _, err := c.read(strings.ToLower(in.DatabaseName)); err != nil {
		return tableOutput{}, err
	}
	table, err := c.read(in.names()...)
	return tableOutput{table}, err
}

func (c *catalog) createTable(_ context.Context, in putTableInput) (nothing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.read(strings.ToLower(in.DatabaseName)); err != nil {
		return nothing{}, err
	}
	if err := checkNames(in.names()...); err != nil {
		return nothing{}, err
	}
	if _, err := c.read(in.names()...); err == nil {
		return nothing{}, awsjson.Errorf("AlreadyExistsException", "Table already exists.")
	}
	return nothing{}, c.writeTable(in, 0, json.RawMessage(strconv.FormatInt(c.now().Unix(), 10)))
}

// updateTable replaces the table, under the version that the caller has seen if it says which.
func (c *catalog) updateTable(_ context.Context, in putTableInput) (nothing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.read(strings.ToLower(in.DatabaseName)); err != nil {
		return nothing{}, err
	}
	current, err := c.read(in.names()...)
	if err != nil {
		return nothing{}, err
	}
	if in.VersionId != "" && in.VersionId != current.text("VersionId") {
		return nothing{}, awsjson.Errorf("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
	}
	version, err := strconv.Atoi(current.text("VersionId"))
	if err != nil {
		return nothing{}, err
	}
	return nothing{}, c.writeTable(in, version+1, current["CreateTime"])
}

func (c *catalog) writeTable(in putTableInput, version int, created json.RawMessage) error {
	table := maps.Clone(in.TableInput)
	table.set("Name", in.TableInput.name())
	table.set("DatabaseName", strings.ToLower(in.DatabaseName))
	table.set("VersionId", strconv.Itoa(version))
	table.set("UpdateTime", c.now().Unix())
	table["CreateTime"] = created
	return c.write(table, in.names()...)
}

func (c *catalog) deleteTable(_ context.Context, in tableInput) (nothing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.read(in.names()...); err != nil {
		return nothing{}, err
	}
	return nothing{}, os.Remove(c.path(in.names()...))
}

func checkNames(names ...string) error {
	for _, name := range names {
		if !validName.MatchString(name) {
			return awsjson.Errorf("InvalidInputException", "%q is no valid name: letters, digits, _ and - only", name)
		}
	}
	return nil
}

// path is the file of a database or, with two names, of a table. The names are valid.
func (c *catalog) path(names ...string) string {
	return filepath.Join(c.dir, filepath.Join(names...)+".json")
}

func (c *catalog) read(names ...string) (entity, error) {
	if checkNames(names...) != nil {
		return nil, awsjson.Errorf("EntityNotFoundException", "Entity Not Found")
	}
	content, err := os.ReadFile(c.path(names...))
	if errors.Is(err, os.ErrNotExist) {
		return nil, awsjson.Errorf("EntityNotFoundException", "%s not found.", strings.Join(names, "/"))
	} else if err != nil {
		return nil, err
	}
	var found entity
	return found, json.Unmarshal(content, &found)
}

// write replaces the file at once: a reader, or a kill, sees the one before or the one after.
func (c *catalog) write(value entity, names ...string) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	target := c.path(names...)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	whole := target + ".new"
	if err := os.WriteFile(whole, append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(whole, target)
}

func isNotFound(err error) bool {
	var named *awsjson.Error
	return errors.As(err, &named) && named.Code == "EntityNotFoundException"
}
