package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"recsys/shared/contract/shape"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/source"
)

// NoShopFile takes the shop file of an earlier start away, as the value of Config.ShopFile.
const NoShopFile = "none"

// givenShopFile is the content of <StateDir>/shop/given.json: where a person's shop file came from. The file itself is copied
// next to it, so that the next start has the same shop.
type givenShopFile struct {
	Path string    `json:"path"` // absolute
	At   time.Time `json:"at"`
}

// prepareShopFile takes the shop file that is asked for, or else that of an earlier start.
func (p *Platform) prepareShopFile() error {
	before, err := p.keptShopFile()
	if err != nil {
		return err
	}
	switch asked := p.config.ShopFile; asked {
	case "":
		return p.useKept(before)
	case NoShopFile:
		p.shop = shape.Lab
		return os.RemoveAll(p.path("shop"))
	default:
		return p.takeShopFile(asked, before)
	}
}

// keptShopFile returns the path of the copy in the state directory, "" for none.
func (p *Platform) keptShopFile() (string, error) {
	files, err := filepath.Glob(p.path("shop", "*.y*ml"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	return files[0], nil
}

// useKept goes on with the shop file of an earlier start, and says so.
func (p *Platform) useKept(kept string) (err error) {
	if p.shop, err = shopfile.Load(kept); err != nil || kept == "" {
		return err
	}
	p.shopFile = kept
	var given givenShopFile
	text, err := os.ReadFile(p.path("shop", "given.json"))
	if err != nil || json.Unmarshal(text, &given) != nil {
		p.config.Progress("shop file: " + filepath.Base(kept) + "; --shop changes it")
		return nil
	}
	p.config.Progress(fmt.Sprintf("shop file: %s, given %s; --shop FILE changes it, --shop none takes it away", given.Path, given.At.Local().Format(time.DateTime)))
	switch now, err := shopfile.Load(given.Path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil || now.Hash != p.shop.Hash:
		p.config.Progress("warning: " + given.Path + " has changed since. Give it again with --shop, or the old one stays in use")
	}
	return nil
}

// takeShopFile checks and copies a shop file. Its name and its content are the shop's.
func (p *Platform) takeShopFile(asked, before string) (err error) {
	if p.shop, err = shopfile.Load(asked); err != nil {
		return err
	}
	if old, err := shopfile.Load(before); err == nil && before != "" && old.Hash != p.shop.Hash {
		p.config.Progress("the shop file has changed: this run is compared with no snapshot and no version of the file before")
	}
	content, err := os.ReadFile(asked)
	if err == nil {
		err = os.RemoveAll(p.path("shop"))
	}
	if err == nil {
		err = os.MkdirAll(p.path("shop"), 0o755)
	}
	if err != nil {
		return fmt.Errorf("copying the shop file: %w", err)
	}
	given, err := json.Marshal(givenShopFile{asked, time.Now()})
	if err != nil {
		return err
	}
	p.shopFile = p.path("shop", filepath.Base(asked))
	return errors.Join(os.WriteFile(p.path("shop", "given.json"), given, 0o600), os.WriteFile(p.shopFile, content, 0o600))
}

// sourceDatabase is the database that is asked for by name, or by the shop file.
func (p *Platform) sourceDatabase() string {
	if p.config.SourceDatabase != "" {
		return p.config.SourceDatabase
	}
	return p.shop.Source.Database
}

var word = regexp.MustCompile(`[\p{L}\p{N}_$]+`)

// neededTables returns names that hold those of all tables that the extraction reads. Of a shop file they are the words of its
// queries, because a table's name is one of them.
func neededTables(shop shape.Shop) (names []string) {
	if shop.IsLab() {
		for _, column := range source.Wanted() {
			names = append(names, column.Table)
		}
	}
	queries := append(slices.Clone(shop.Source.Interactions), shop.Source.Customers, shop.Source.Products)
	for _, query := range queries {
		names = append(names, word.FindAllString(strings.ToLower(query.SQL), -1)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
