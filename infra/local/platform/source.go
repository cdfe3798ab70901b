package platform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"recsys/infra/local/db/dump"
	"recsys/infra/local/db/mysql"
	"recsys/infra/local/sample"
	"recsys/shared/shop/sampleshop"
)

// loadedSource is the content of <StateDir>/source.json, about the shop in the private MySQL.
type loadedSource struct {
	Fingerprint string    `json:"fingerprint"` // of the loaded shop
	Database    string    `json:"database"`
	Files       []string  `json:"files"` // the dumps' names, none of the sample
	At          time.Time `json:"loadedAt"`
}

// isSample reports a sample of any version, by the beginning of its fingerprint.
func (s loadedSource) isSample() bool { return strings.HasPrefix(s.Fingerprint, samplePrefix) }

const samplePrefix = "sample-"

// SampleShop reports whether the source is the shop whose customers' activity is the sample's.
func (p *Platform) SampleShop() bool {
	return p.config.Environment.MySQLDSN == "" && p.loadedSource().isSample() && p.shop.IsLab()
}

// startSource starts MySQL and, in a private one, loads the shop unless it is there from an earlier start.
func (p *Platform) startSource(ctx context.Context) error {
	if p.shop.InFiles() {
		p.Endpoints.source = noDatabase
		return nil
	}
	if p.config.Environment.MySQLDSN != "" {
		return p.startMySQL(ctx, "")
	}
	have := p.loadedSource()
	want, err := p.wantedSource(have)
	if err != nil {
		return err
	}
	engine, err := p.sourceEngine(ctx, have)
	if err != nil {
		return err
	}
	stale := have.Fingerprint != want.Fingerprint || mysql.EngineOf(p.path("mysql")) != engine
	if stale {
		// The note first: without it a kill in between costs a load and no more.
		if err := errors.Join(os.RemoveAll(p.path("source.json")), os.RemoveAll(p.path("mysql"))); err != nil {
			return fmt.Errorf("removing the shop of an earlier start: %w", err)
		}
	}
	if err := p.startMySQL(ctx, engine); err != nil {
		return err
	}
	if stale {
		if want.Database, err = p.loadSource(ctx); err != nil {
			return err
		}
		want.At = time.Now()
		if err := p.rememberSource(want); err != nil {
			return err
		}
		have = want
	} else if !have.isSample() {
		p.config.Progress(fmt.Sprintf("source: %s, loaded %s; --source-sql or reset changes it",
			strings.Join(have.Files, ", "), have.At.Local().Format(time.DateTime)))
	}
	if have, err = p.otherDatabase(ctx, have); err != nil {
		return err
	}
	p.Endpoints.Source = p.MySQL.DSNOf(have.Database)
	p.Endpoints.source, err = p.MySQL.ReaderDSN(ctx, have.Database)
	return err
}

func (p *Platform) startMySQL(ctx context.Context, engine mysql.Engine) error {
	supervisor := p.supervise("MySQL", p.path("mysql", "server.log"))
	server, err := mysql.Start(ctx, mysql.Config{
		DSN: p.config.Environment.MySQLDSN, Engine: engine, Dir: p.path("mysql"), Cache: p.config.Cache, Certificate: p.config.Certificate,
		Disposable: p.config.Disposable, Died: supervisor.died,
	})
	if err != nil {
		return err
	}
	p.MySQL, p.Endpoints.Source, p.Endpoints.source = server, server.DSN(), server.DSN()
	p.onClose("MySQL", supervisor.watch(server.Restart, server.Stop))
	return nil
}

// sourceEngine returns the engine that was asked for, or else the one that wrote the dump, or else MySQL. A shop of an
// earlier start stays on the engine that it was loaded into.
func (p *Platform) sourceEngine(ctx context.Context, have loadedSource) (mysql.Engine, error) {
	asked, there := p.config.SourceEngine, mysql.EngineOf(p.path("mysql"))
	kept := len(p.config.SourceSQL) == 0 && have.Fingerprint != "" && !have.isSample() && there != ""
	switch {
	case kept && asked != "" && asked != there:
		return "", fmt.Errorf("the shop of an earlier start lies in %v: give its dump with --source-sql again to load it into %v", there, asked)
	case kept:
		return there, nil
	case asked != "":
		return asked, nil
	}
	for _, name := range p.config.SourceSQL {
		if engine, err := dump.EngineOf(name); err != nil || engine == mysql.MariaDB {
			return engine, err
		}
	}
	return mysql.Obtainable(ctx, p.config.Cache, mysql.MySQL)
}

// wantedSource is the source of the dumps or the sample, or without dumps that of an earlier start.
func (p *Platform) wantedSource(have loadedSource) (want loadedSource, err error) {
	if len(p.config.SourceSQL) == 0 && have.Fingerprint != "" && !have.isSample() {
		return have, nil
	}
	want.Fingerprint, err = p.fingerprint()
	for _, name := range p.config.SourceSQL {
		want.Files = append(want.Files, filepath.Base(name))
	}
	return want, err
}

func (p *Platform) loadedSource() (have loadedSource) {
	text, err := os.ReadFile(p.path("source.json"))
	if err != nil || json.Unmarshal(text, &have) != nil {
		return loadedSource{}
	}
	return have
}

// rememberSource is called when the load is whole: a load that was killed is begun anew.
func (p *Platform) rememberSource(source loadedSource) error {
	text, err := json.Marshal(source)
	if err != nil {
		return err
	}
	fresh := p.path("source.json.new")
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return fmt.Errorf("remembering what was loaded: %w", err)
	}
	return os.Rename(fresh, p.path("source.json"))
}

// fingerprint tells one source from another.
func (p *Platform) fingerprint() (string, error) {
	hash := sha256.New()
	if len(p.config.SourceSQL) == 0 {
		err := sampleshop.WriteSQL(hash, sample.Options())
		return samplePrefix + hex.EncodeToString(hash.Sum(nil)), err
	}
	for _, name := range p.config.SourceSQL {
		file, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("opening --source-sql: %w", err)
		}
		_, err = io.Copy(hash, file)
		file.Close()
		if err != nil {
			return "", fmt.Errorf("reading --source-sql: %w", err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// loadSource fills the private MySQL and returns the database that the tables are in.
func (p *Platform) loadSource(ctx context.Context) (database string, err error) {
	if len(p.config.SourceSQL) == 0 {
		reader, writer := io.Pipe()
		go func() { writer.CloseWithError(sampleshop.WriteSQL(writer, sample.Options())) }()
		database, err := p.MySQL.LoadSQL(ctx, reader)
		return database, errors.Join(err, reader.Close())
	}
	loader, err := dump.NewLoader(ctx, p.MySQL)
	if err != nil {
		return "", err
	}
	loader.Progress = func(file string, read, size int64) {
		p.config.Progress(fmt.Sprintf("loading %s: %d of %d MB", file, read>>20, size>>20))
	}
	for _, name := range p.config.SourceSQL {
		if err := loader.Load(ctx, name); err != nil {
			return "", err
		}
	}
	for _, name := range loader.Cut() {
		p.config.Progress("warning: " + name + ` begins as mysqldump writes it and has no line "-- Dump completed": it may be cut, and rows at its end may be missing. Dump the shop again`)
	}
	database, err = loader.Database(ctx, p.sourceDatabase(), neededTables(p.shop))
	if err == nil {
		p.tellProblems(loader.Problems())
	}
	return database, err
}

// tellProblems names the parts of a dump that were not loaded and are not needed.
func (p *Platform) tellProblems(problems []dump.Problem) {
	const most = 20
	for _, problem := range problems[:min(most, len(problems))] {
		p.config.Progress("not loaded, and not needed: " + problem.Error())
	}
	if more := len(problems) - most; more > 0 {
		p.config.Progress(fmt.Sprintf("not loaded, and not needed: %d more", more))
	}
}

// otherDatabase takes another database of the shop that is loaded already.
func (p *Platform) otherDatabase(ctx context.Context, have loadedSource) (loadedSource, error) {
	asked := p.sourceDatabase()
	if asked == "" || asked == have.Database {
		return have, nil
	}
	databases, err := p.MySQL.Databases(ctx)
	if err != nil {
		return have, err
	}
	if !slices.Contains(databases, asked) {
		return have, fmt.Errorf("there is no database %q, only %s: correct --source-database or the shop file", asked, strings.Join(databases, ", "))
	}
	have.Database = asked
	return have, p.rememberSource(have)
}

// sourceIdentity tells the functions which shop the private MySQL holds, because its address stays when another shop is
// loaded. A server that runs already is known by its address.
func (p *Platform) sourceIdentity() string {
	if p.config.Environment.MySQLDSN != "" {
		return ""
	}
	have := p.loadedSource()
	return have.Fingerprint + " " + have.Database
}
