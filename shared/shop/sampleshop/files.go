package sampleshop

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The files that WriteFiles writes.
const (
	ShopFile     = "shop.sql"       // WriteSQL
	TruthFile    = "truth.json"     // WriteTruth
	SessionsFile = "sessions.jsonl" // WriteSessions
	TrainingFile = "training.csv"   // WriteTraining
	ProductsFile = "products.csv"   // WriteProducts
)

// WriteFiles writes the shop, its truth, sessions and training rows into a folder, and makes the folder if needed.
// Each file appears whole or not at all, and only after all of them are whole. It replaces files of an earlier shop.
// An error leaves the earlier files as they were.
func WriteFiles(dir string, o Options, sessions int) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("making the sample shop: %w", err)
	}
	if sessions < 0 {
		return fmt.Errorf("making the sample shop: sessions %d: want 0 or more", sessions)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for the sample shop: %w", err)
	}
	unfinished, err := os.MkdirTemp(dir, ".unfinished-")
	if err != nil {
		return fmt.Errorf("making the folder for the sample shop: %w", err)
	}
	defer os.RemoveAll(unfinished)
	contents := map[string]func(io.Writer) error{
		ShopFile:     func(w io.Writer) error { return WriteSQL(w, o) },
		TruthFile:    func(w io.Writer) error { return WriteTruth(w, o) },
		SessionsFile: func(w io.Writer) error { return WriteSessions(w, o, sessions) },
		TrainingFile: func(w io.Writer) error { return WriteTraining(w, o) },
		ProductsFile: func(w io.Writer) error { return WriteProducts(w, o) },
	}
	for name, write := range contents {
		if err := writeFile(filepath.Join(unfinished, name), write); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	for name := range contents {
		if err := os.Rename(filepath.Join(unfinished, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("finishing %s: %w", name, err)
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<16)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.Close()
}
