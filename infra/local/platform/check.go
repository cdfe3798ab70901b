package platform

import (
	"context"
	"errors"
	"fmt"

	"recsys/infra/local/db/provision"
	"recsys/shared/contract/settings"
	"recsys/shared/contract/shape"
	"recsys/shared/shop/shopfile"
	"recsys/shared/shop/source"
)

// CheckShop compares a shop file with its database and runs nothing. config.ShopFile is the file, or that of an earlier
// start. The database is config.Environment.MySQLDSN. Without one it is a private MySQL, in which the dumps of
// config.SourceSQL are loaded and stay, as for Start.
func CheckShop(ctx context.Context, config Config) (found source.Inspection, err error) {
	p := &Platform{config: config, failed: make(chan error, 1), Client: &Client{}}
	if p.config.Progress == nil {
		p.config.Progress = func(string) {}
	}
	if err := p.config.check(); err != nil {
		return found, err
	}
	if p.shop, err = p.shopToCheck(); err != nil {
		return found, err
	}
	if p.shop.InFiles() {
		return found, errors.New("shop-check looks at databases, and this shop is in files: run it with --source-files, which names every mistake")
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	dsn, err := p.sourceToCheck(ctx)
	if err != nil {
		return found, err
	}
	database, err := source.Open(ctx, settings.Source{DSN: dsn})
	if err != nil {
		return found, err
	}
	defer database.Close()
	return database.Inspect(ctx, p.shop)
}

func (p *Platform) shopToCheck() (shape.Shop, error) {
	path := p.config.ShopFile
	if path == "" {
		kept, err := p.keptShopFile()
		if err != nil {
			return shape.Shop{}, err
		}
		path = kept
	}
	if path == "" || path == NoShopFile {
		return shape.Shop{}, errors.New("no shop file is given: want --shop FILE. docs/source.md says how to write one")
	}
	return shopfile.Load(path)
}

// sourceToCheck returns the DSN of the shop's database: that of serve if it has no other dump to load.
func (p *Platform) sourceToCheck(ctx context.Context) (string, error) {
	if dsn := p.config.Environment.MySQLDSN; dsn != "" {
		return dsn, nil
	}
	if err := makeStateDir(p.config.StateDir); err != nil {
		return "", err
	}
	unlock, err := Lock(p.config.StateDir)
	if errors.Is(err, ErrBusy) && len(p.config.SourceSQL) == 0 {
		client, err := Attach(ctx, p.config.StateDir)
		if err != nil {
			return "", fmt.Errorf("%w (%w)", ErrBusy, err)
		}
		return client.Endpoints.Source, nil
	}
	if err != nil {
		return "", err
	}
	p.onClose("the lock", unlock)
	if p.config.Cache == nil {
		if p.config.Cache, err = provision.Open(provision.Config{Progress: p.config.Progress}); err != nil {
			return "", err
		}
	}
	if err := p.timed("starting MySQL with the shop", func() error { return p.startSource(ctx) }); err != nil {
		return "", err
	}
	return p.Endpoints.source, nil
}
