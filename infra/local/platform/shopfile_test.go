package platform

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recsys/shared/contract/shape"
)

// prepared returns a platform that has taken its shop file and started nothing, and what it said.
func prepared(t *testing.T, stateDir, shopFile string) (*Platform, string) {
	t.Helper()
	var said []string
	p := &Platform{config: Config{StateDir: stateDir, ShopFile: shopFile, Progress: func(text string) { said = append(said, text) }}}
	if err := p.prepareShopFile(); err != nil {
		t.Fatal(err)
	}
	return p, strings.Join(said, "\n")
}

func TestAShopFileStaysForTheNextStart(t *testing.T) {
	state, mine := t.TempDir(), filepath.Join(t.TempDir(), "mine.yaml")
	content, err := os.ReadFile(docsShop(t, "sakila.yaml"))
	if err == nil {
		err = os.WriteFile(mine, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p, said := prepared(t, state, ""); !p.shop.IsLab() || p.shopFile != "" || said != "" {
		t.Errorf("at first: %+v, %s", p.shop, said)
	}
	first, said := prepared(t, state, mine)
	if first.shop.Name != "mine" || filepath.Base(first.shopFile) != "mine.yaml" || said != "" || first.sourceDatabase() != "sakila" {
		t.Errorf("given: %+v, %s", first.shop, said)
	}
	next, said := prepared(t, state, "")
	if next.shop.Hash != first.shop.Hash || next.shopFile != first.shopFile || !strings.Contains(said, "shop file: "+mine) || strings.Contains(said, "warning") {
		t.Errorf("the next start: %+v, %s", next.shop, said)
	}
	if err := os.WriteFile(mine, append(content, "# more\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if next, said = prepared(t, state, ""); next.shop.Hash != first.shop.Hash || !strings.Contains(said, "has changed since") {
		t.Errorf("the file has changed: %s", said)
	}
	if next, said = prepared(t, state, mine); next.shop.Hash == first.shop.Hash || !strings.Contains(said, "compared with no snapshot") {
		t.Errorf("the changed file: %s", said)
	}
	if p, _ := prepared(t, state, NoShopFile); !p.shop.IsLab() || p.shopFile != "" {
		t.Errorf("none: %+v", p.shop)
	}
	if p, said := prepared(t, state, ""); !p.shop.IsLab() || said != "" {
		t.Errorf("after none: %+v, %s", p.shop, said)
	}
}

func TestNeededTables(t *testing.T) {
	if got := neededTables(shape.Lab); !slices.Equal(got, []string{"customers", "products", "ratings"}) {
		t.Errorf("the sample shop's: %v", got)
	}
	p, _ := prepared(t, t.TempDir(), docsShop(t, "chinook.yaml"))
	got := neededTables(p.shop)
	for _, table := range []string{"customer", "invoice", "invoiceline", "track", "genre", "mediatype"} {
		if !slices.Contains(got, table) {
			t.Errorf("%s is missing in %v", table, got)
		}
	}
	if slices.Contains(got, "playlist") {
		t.Errorf("a table that no query names in %v", got)
	}
}
