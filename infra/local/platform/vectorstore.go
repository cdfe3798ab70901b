package platform

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"recsys/infra/local/db/postgres"
	"recsys/shared/store/vectorstore"
)

// startVectorStore starts PostgreSQL and runs the bootstrap SQL as a user who is no superuser, as on RDS.
func (p *Platform) startVectorStore(ctx context.Context) error {
	supervisor := p.supervise("PostgreSQL", p.path("postgres", "server.log"))
	server, err := postgres.Start(ctx, postgres.Config{
		URL: p.config.Environment.DatabaseURL, Dir: p.path("postgres"), Cache: p.config.Cache, Certificate: p.config.Certificate,
		Disposable: p.config.Disposable, Died: supervisor.died,
	})
	if err != nil {
		return err
	}
	p.Postgres = server
	p.onClose("PostgreSQL", supervisor.watch(server.Restart, server.Stop))
	if p.config.Environment.DatabaseURL != "" {
		if err := p.lockVectorStore(ctx); err != nil {
			return err
		}
		return p.bootstrap(ctx, server.URL()) // its user, its database
	}
	owner, err := server.Database(ctx, VectorDatabase)
	if err != nil {
		return err
	}
	return p.bootstrap(ctx, owner)
}

// lockVectorStore keeps a second Platform, which would change the roles' passwords, off a database that was given.
// The lock is the session's, so it goes with this process.
func (p *Platform) lockVectorStore(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.Postgres.URL())
	if err != nil {
		return fmt.Errorf("connecting to the vector database: %w", err)
	}
	p.onClose("the vector database's lock", func() error { return conn.Close(context.WithoutCancel(ctx)) })
	var locked bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock(hashtext('recsys.platform'))").Scan(&locked); err != nil {
		return fmt.Errorf("locking the vector database: %w", err)
	}
	if !locked {
		return fmt.Errorf("%w on the database of DATABASE_URL: wait for it, stop it, or choose another database", ErrBusy)
	}
	return nil
}

func (p *Platform) bootstrap(ctx context.Context, owner string) error {
	conn, err := pgx.Connect(ctx, owner)
	if err != nil {
		return fmt.Errorf("connecting to the vector database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := vectorstore.Bootstrap(ctx, conn); err != nil {
		return err
	}
	address, err := url.Parse(owner)
	if err != nil {
		return fmt.Errorf("reading the vector database's URL: %w", err)
	}
	if route := p.config.RouteVectorStore; route != nil {
		if address.Host, err = route(address.Host); err != nil {
			return fmt.Errorf("routing to the vector database: %w", err)
		}
	}
	for role, target := range map[string]*string{
		vectorstore.LoaderRole: &p.Endpoints.loader, vectorstore.ReaderRole: &p.Endpoints.reader,
	} {
		if *target, err = p.login(ctx, conn, *address, role); err != nil {
			return err
		}
	}
	p.Endpoints.VectorStore = p.Endpoints.reader
	return nil
}

// login is the URL at which a role connects, with a password made anew each time.
func (p *Platform) login(ctx context.Context, conn *pgx.Conn, address url.URL, role string) (string, error) {
	password := rand.Text()
	if _, err := conn.Exec(ctx, "alter role "+pgx.Identifier{role}.Sanitize()+" password '"+password+"'"); err != nil {
		return "", fmt.Errorf("giving the role %s a password: %w", role, err)
	}
	address.User = url.UserPassword(role, password)
	return address.String(), nil
}
