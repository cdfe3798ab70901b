package objectstore

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

const (
	// maxDelete is how many keys S3 takes in one request.
	maxDelete = 1000
	// deletesAtOnce keeps the requests busy while the next page is listed. S3 deletes some thousand keys a second.
	deletesAtOnce = 4
)

// DeletePrefix removes every object under the prefix and returns how many it has removed, also with an error. It stops at
// the first error and at the end of the context.
func (s *Store) DeletePrefix(ctx context.Context, prefix string) (deleted int, err error) {
	var count atomic.Int64
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(deletesAtOnce)
	batch := make([]types.ObjectIdentifier, 0, maxDelete)
	flush := func() {
		full := batch
		batch = make([]types.ObjectIdentifier, 0, maxDelete)
		group.Go(func() error {
			if err := s.delete(within, full); err != nil {
				return s.wrap("deleting", prefix, err)
			}
			count.Add(int64(len(full)))
			return nil
		})
	}
	listing := s.List(within, prefix, func(object Object) error {
		batch = append(batch, types.ObjectIdentifier{Key: aws.String(object.Key)})
		if len(batch) == maxDelete {
			flush()
		}
		return nil
	})
	if listing == nil && len(batch) > 0 {
		flush()
	}
	if err := group.Wait(); err != nil { // it is why the listing ended, too
		return int(count.Load()), err
	}
	return int(count.Load()), listing
}

// delete removes up to maxDelete objects.
func (s *Store) delete(ctx context.Context, batch []types.ObjectIdentifier) error {
	out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &s.bucket, Delete: &types.Delete{Objects: batch, Quiet: aws.Bool(true)},
	})
	if err == nil && len(out.Errors) > 0 {
		err = fmt.Errorf("%d objects stay, the first for %s", len(out.Errors), aws.ToString(out.Errors[0].Code))
	}
	return err
}
