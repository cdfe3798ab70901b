package answers

import "context"

// Exact reports whether the active version is searched in memory, among all items. Otherwise it is searched by the index of the vector
// database, which misses a few.
func (s *Service) Exact(ctx context.Context) (bool, error) {
	conn, err := s.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	active, found, err := s.active(ctx, conn.Conn())
	return err == nil && found && s.inMemory.read(ctx, active) != nil, err
}
