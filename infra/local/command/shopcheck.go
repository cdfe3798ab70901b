package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"recsys/infra/local/db/provision"
	"recsys/infra/local/platform"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/source"
)

// shopCheck compares a shop file with its database, and shows what a run would read.
func shopCheck(ctx context.Context, o options, out io.Writer) error {
	c := newConsole(out)
	cache, err := provision.Open(provision.Config{Progress: c.progress})
	if err != nil {
		return err
	}
	environment := platform.FromEnvironment()
	if o.source != "" {
		environment.MySQLDSN = o.source
	}
	found, err := platform.CheckShop(ctx, platform.Config{
		StateDir: o.stateDir, SourceSQL: o.sourceSQL, SourceEngine: o.sourceEngine, SourceDatabase: o.sourceDatabase, ShopFile: o.shop,
		Environment: environment, Cache: cache, Progress: c.progress,
	})
	if err != nil {
		return err
	}
	c.inspection(found, o.command("--shop FILE"))
	return nil
}

// inspection shows the result, and the warnings last because they are to be read. run is the next command.
func (c *console) inspection(found source.Inspection, run string) {
	shop := found.Shop
	c.heading("Shop " + shop.Name)
	c.say("  ids: customers %s, products %s", string(shop.Customer.Type), string(shop.Product.Type))
	c.say("  %s interactions (%s), %s customers with interactions, %s products",
		grouped(found.Interactions), counted(found.Kinds), grouped(found.Customers), grouped(found.Products))
	for _, table := range []struct {
		name    string
		columns []shape.Column
	}{{"interactions", shop.InteractionColumns}, {"customers", shop.CustomerColumns}, {"products", shop.ProductColumns}} {
		if len(table.columns) > 0 {
			c.say("  columns of %s: %s", table.name, columnList(table.columns))
		}
	}
	for _, sample := range found.Samples {
		c.heading(fmt.Sprintf("Query %s, its first %d rows", sample.Query, len(sample.Rows)))
		c.block(aligned(sampleTable(sample)))
	}
	if len(found.Warnings) == 0 {
		c.say("\nNo mistake and no warning. Run it: %s", run)
		return
	}
	c.heading(fmt.Sprintf("No mistake, %d warnings", len(found.Warnings)))
	for _, warning := range found.Warnings {
		c.say("  %s", warning)
	}
}

// columnList names the columns with their types and roles.
func columnList(columns []shape.Column) string {
	var words []string
	for _, column := range columns {
		words = append(words, fmt.Sprintf("%s %s (%s)", column.Name, column.Type, column.Role))
	}
	return strings.Join(words, ", ")
}

func sampleTable(sample source.Sample) [][]string {
	rows := [][]string{sample.Columns}
	for _, row := range sample.Rows {
		cells := make([]string, len(row))
		for i, text := range row {
			if cells[i] = cell(text); text == "" {
				cells[i] = "NULL"
			}
		}
		rows = append(rows, cells)
	}
	return rows
}
