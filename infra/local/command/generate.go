package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"recsys/infra/local/db/provision"
	"recsys/shared/shop/sampleshop"
)

// generate writes a shop of any size into a folder.
func generate(args []string, out, errOut io.Writer) error {
	o := sampleshop.Default()
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		fmt.Fprintln(errOut, "Usage: go run ./infra/local generate [flags]\n\nWrites a made-up shop whose customers have tastes: the database, what a trainer reads, the truth, and activity.\n\nFlags")
		flags.PrintDefaults()
	}
	root, err := provision.Root()
	if err != nil {
		return err
	}
	dir := flags.String("out", filepath.Join(root, "build", "shop"), "`DIR` to write to")
	flags.Lookup("out").DefValue = "build/shop in the repository"
	sessions := flags.Int("sessions", sampleshop.DefaultSessions, "activity records")
	flags.Uint64Var(&o.Seed, "seed", o.Seed, "the same seed gives the same bytes")
	flags.IntVar(&o.Customers, "customers", o.Customers, "customers; about four in five rate")
	flags.IntVar(&o.Products, "products", o.Products, "products; one is never bought")
	flags.IntVar(&o.Ratings, "ratings", o.Ratings, "ratings")
	flags.Float64Var(&o.TasteStrength, "taste-strength", o.TasteStrength, "how much taste decides, 0 (noise) to 3")
	flags.BoolVar(&o.OmitOrders, "omit-orders", o.OmitOrders, "leave orders and payments empty: faster to load")
	flags.StringVar(&o.Database, "database", o.Database, "name of the database")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return errUsage
	}
	if flags.NArg() > 0 {
		return mistake(errOut, "generate takes flags only, got %q", flags.Args())
	}
	if err := sampleshop.WriteFiles(*dir, o, *sessions); err != nil {
		return err
	}
	shown := display(*dir)
	fmt.Fprintf(out, "%s customers, %s products, %s ratings in %s\n", grouped(int64(o.Customers)), grouped(int64(o.Products)), grouped(int64(o.Ratings)), shown)
	fmt.Fprintf(out, "try it: go run ./infra/local --source-sql %s --events %s --state-dir %s\n", quote(filepath.Join(shown, sampleshop.ShopFile)),
		quote(filepath.Join(shown, sampleshop.SessionsFile)), quote(filepath.Join(shown, "state")))
	return nil
}
