package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"recsys/shared/contract/lake"
	"recsys/shared/store/objectstore"
)

// artifactFolders are those of a hand-over.
var artifactFolders = []string{"embeddings", "model", "scalers"}

// uploadedKey is a note in the artifacts bucket about an upload. It tells the upload from a hand-over by somebody
// else.
const uploadedKey = "uploaded-by-local-mode.json"

// uploadNote is the content of uploadedKey. It has no objects while an upload is at work.
type uploadNote struct {
	From    string            `json:"from"` // the folder
	At      time.Time         `json:"uploadedAt"`
	Objects map[string]string `json:"objects"` // ETag by key
}

// HandOver names the origin of the files in the artifacts bucket.
type HandOver struct {
	Whose HandedOverBy
	From  string    // the folder, where it was uploaded from one
	At    time.Time // of the upload
}

// HandedOverBy is one of the following.
type HandedOverBy int

// Nobody: there is nothing, or half of an upload. Folder: UploadFolder. Other: somebody else put or changed something.
const (
	Nobody HandedOverBy = iota
	Folder
	Other
)

// HandedOver looks into the artifacts bucket.
func (c *Client) HandedOver(ctx context.Context) (HandOver, error) {
	store := c.Store(ArtifactsBucket)
	there, err := listArtifacts(ctx, store)
	if err != nil {
		return HandOver{}, fmt.Errorf("looking for artifacts: %w", err)
	}
	if len(there) == 0 {
		return HandOver{}, nil
	}
	var note uploadNote
	_, err = store.GetJSON(ctx, uploadedKey, 1<<20, &note)
	switch {
	case errors.Is(err, objectstore.ErrNotFound):
		return HandOver{Whose: Other}, nil
	case err != nil:
		return HandOver{}, fmt.Errorf("looking for artifacts: %w", err)
	case note.Objects == nil:
		return HandOver{}, nil
	case !maps.Equal(there, note.Objects):
		return HandOver{Whose: Other}, nil
	}
	return HandOver{Folder, note.From, note.At}, nil
}

// UploadFolder uploads a folder's artifacts.
func (c *Client) UploadFolder(ctx context.Context, dir string) error {
	return c.uploadArtifacts(ctx, os.DirFS(dir), dir)
}

// UploadArtifacts puts a data scientist's files (embeddings/, model/, scalers/) into the artifacts bucket, in the
// place of all that was handed over before, and the marker embeddings/_SUCCESS last.
func (c *Client) UploadArtifacts(ctx context.Context, files fs.FS) error {
	return c.uploadArtifacts(ctx, files, "memory")
}

func (c *Client) uploadArtifacts(ctx context.Context, files fs.FS, from string) error {
	if err := c.replaceArtifacts(ctx, files, from); err != nil {
		return fmt.Errorf("uploading the artifacts: %w", err)
	}
	return nil
}

func (c *Client) replaceArtifacts(ctx context.Context, files fs.FS, from string) error {
	store := c.Store(ArtifactsBucket)
	names, err := artifactsOf(files)
	if err != nil {
		return err
	}
	note := uploadNote{From: from, At: time.Now()}
	if _, err := store.PutJSON(ctx, uploadedKey, note); err != nil {
		return err
	}
	note.Objects = map[string]string{}
	for _, name := range names {
		if note.Objects[name], err = putFile(ctx, store, files, name); err != nil {
			return err
		}
	}
	if err := c.removeOthers(ctx, store, note.Objects); err != nil {
		return err
	}
	if note.Objects[lake.SuccessKey], err = store.Put(ctx, lake.SuccessKey, bytes.NewReader(nil)); err != nil {
		return err
	}
	_, err = store.PutJSON(ctx, uploadedKey, note)
	return err
}

// artifactsOf leaves out the marker and other files, such as a README.
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

// removeOthers removes files of an earlier hand-over that this one lacks, because vectors would meet another's model.
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

// listArtifacts returns the ETags of the handed-over files, by key.
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
