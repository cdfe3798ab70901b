package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/shared/lake"
	"recsys/shared/objectstore"
)

// artifactFolders are those of a hand-over.
var artifactFolders = []string{"embeddings", "model", "scalers"}

// uploadedKey is a note in the artifacts bucket of the objects that UploadArtifacts left there, ETag by key; null
// while it is at work. It tells them from what somebody else handed over.
const uploadedKey = "uploaded-by-local-mode.json"

// UploadArtifacts puts a data scientist's files (embeddings/, model/, scalers/) into the artifacts bucket, in the
// place of all that was handed over before, and the marker embeddings/_SUCCESS last.
func (c *Client) UploadArtifacts(ctx context.Context, files fs.FS) error {
	if err := c.uploadArtifacts(ctx, files); err != nil {
		return fmt.Errorf("uploading the artifacts: %w", err)
	}
	return nil
}

// OfferArtifacts is UploadArtifacts unless somebody else handed something over: what UploadArtifacts has put into
// the bucket is replaced, and nothing else is. It reports whether it uploaded.
func (c *Client) OfferArtifacts(ctx context.Context, files fs.FS) (uploaded bool, err error) {
	store := c.Store(ArtifactsBucket)
	there, err := listArtifacts(ctx, store)
	if err != nil {
		return false, fmt.Errorf("looking for artifacts: %w", err)
	}
	var ours map[string]string
	_, err = store.GetJSON(ctx, uploadedKey, 1<<20, &ours)
	if err != nil && !errors.Is(err, objectstore.ErrNotFound) {
		return false, fmt.Errorf("looking for artifacts: %w", err)
	}
	noted := err == nil
	if len(there) > 0 && (!noted || ours != nil && !maps.Equal(there, ours)) {
		return false, nil
	}
	return true, c.UploadArtifacts(ctx, files)
}

func (c *Client) uploadArtifacts(ctx context.Context, files fs.FS) error {
	store := c.Store(ArtifactsBucket)
	names, err := artifactsOf(files)
	if err != nil {
		return err
	}
	if _, err := store.PutJSON(ctx, uploadedKey, nil); err != nil {
		return err
	}
	uploaded := map[string]string{}
	for _, name := range names {
		if uploaded[name], err = putFile(ctx, store, files, name); err != nil {
			return err
		}
	}
	if err := c.removeOthers(ctx, store, uploaded); err != nil {
		return err
	}
	if uploaded[lake.SuccessKey], err = store.Put(ctx, lake.SuccessKey, bytes.NewReader(nil)); err != nil {
		return err
	}
	_, err = store.PutJSON(ctx, uploadedKey, uploaded)
	return err
}

// artifactsOf leaves out the marker, and what lies beside the artifacts, such as a README.
func artifactsOf(files fs.FS) (names []string, err error) {
	for _, folder := range artifactFolders {
		found, err := fs.Glob(files, path.Join(folder, "*"))
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			info, err := fs.Stat(files, name)
			if err != nil {
				return nil, err
			}
			if info.Mode().IsRegular() && name != lake.SuccessKey {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil, errors.New("no files in embeddings/, model/ or scalers/")
	}
	return names, nil
}

func putFile(ctx context.Context, store *objectstore.Store, files fs.FS, name string) (etag string, err error) {
	file, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, ok := file.(io.ReadSeeker)
	if !ok {
		return "", fmt.Errorf("%s cannot be read twice", name)
	}
	return store.Put(ctx, name, content)
}

// removeOthers removes what an earlier hand-over had and this one has not: vectors would meet another's model.
func (c *Client) removeOthers(ctx context.Context, store *objectstore.Store, uploaded map[string]string) error {
	there, err := listArtifacts(ctx, store)
	if err != nil {
		return err
	}
	for key := range there {
		if _, kept := uploaded[key]; kept || key == lake.SuccessKey {
			continue
		}
		if _, err := c.objects.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(ArtifactsBucket), Key: &key}); err != nil {
			return fmt.Errorf("removing %s of an earlier hand-over: %w", key, err)
		}
	}
	return nil
}

// listArtifacts is the ETags of what is handed over, by key.
func listArtifacts(ctx context.Context, store *objectstore.Store) (map[string]string, error) {
	there := map[string]string{}
	for _, folder := range artifactFolders {
		err := store.List(ctx, folder+"/", func(object objectstore.Object) error {
			there[object.Key] = object.ETag
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return there, nil
}
