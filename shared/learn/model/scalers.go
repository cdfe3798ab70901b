package model

import (
	"errors"
	"fmt"
	"strings"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model/pickle"
)

// scaler is a fitted StandardScaler of one number: (x - mean) / scale.
type scaler struct{ mean, scale float64 }

func readScaler(data []byte) (scaler, error) {
	attributes, err := readEstimator(lake.UserScalerKey, data, "StandardScaler", "_data")
	if err != nil {
		return scaler{}, err
	}
	s, err := newScaler(attributes)
	if err != nil {
		return scaler{}, &Invalid{lake.UserScalerKey, err}
	}
	return s, nil
}

func newScaler(attributes *pickle.Dict) (scaler, error) {
	s := scaler{mean: 0, scale: 1}
	if n, fitted := attributes.Get("n_samples_seen_"); !fitted || n == nil {
		return s, errors.New("the StandardScaler has no n_samples_seen_: it is not fitted")
	}
	if n, known := attributes.Get("n_features_in_"); known && n != int64(1) { // unknown before scikit-learn 0.24
		return s, errors.New("the StandardScaler was not fitted on one column, the credit limit")
	}
	if err := oneNumber(attributes, "with_mean", "mean_", &s.mean); err != nil {
		return s, err
	}
	if err := oneNumber(attributes, "with_std", "scale_", &s.scale); err != nil {
		return s, err
	}
	if s.scale == 0 { // scikit-learn leaves a constant column as it is
		s.scale = 1
	}
	return s, nil
}

// oneNumber reads the fitted attribute into number, if the option says that it is used.
func oneNumber(attributes *pickle.Dict, option, name string, number *float64) error {
	if used, ok := attributes.Get(option); ok && used != true {
		return nil
	}
	v, ok := attributes.Get(name)
	if !ok {
		return fmt.Errorf("the StandardScaler has no %s: it is not fitted", name)
	}
	a, err := arrayOf(v)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	numbers, err := a.floats()
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if len(numbers) != 1 || !isFinite(numbers[0]) {
		return fmt.Errorf("%s is not one finite number", name)
	}
	*number = numbers[0]
	return nil
}

// oneHot is a fitted OneHotEncoder of city and country. A category that is not in a map encodes to zeros, whatever
// the encoder's handle_unknown was. The reason is that a shop's next city must not stop the stream.
type oneHot struct {
	city, country map[string]int // the column of a category, from 0, as normal spells it
	columns       int
}

func readOneHot(data []byte) (oneHot, error) {
	attributes, err := readEstimator(lake.UserOneHotKey, data, "OneHotEncoder", "_encoders")
	if err != nil {
		return oneHot{}, err
	}
	if enabled, _ := attributes.Get("_infrequent_enabled"); enabled == true {
		return oneHot{}, &Unsupported{lake.UserOneHotKey, "a OneHotEncoder with infrequent categories",
			"fit it without min_frequency and max_categories"}
	}
	e, err := newOneHot(attributes)
	if err != nil {
		return oneHot{}, &Invalid{lake.UserOneHotKey, err}
	}
	return e, nil
}

func newOneHot(attributes *pickle.Dict) (oneHot, error) {
	v, _ := attributes.Get("categories_")
	categories, ok := v.(*pickle.List)
	if !ok {
		return oneHot{}, errors.New("the OneHotEncoder has no categories_: it is not fitted")
	}
	if len(categories.Items) != 2 {
		return oneHot{}, fmt.Errorf("the OneHotEncoder was fitted on %d columns, not on city and country", len(categories.Items))
	}
	countryFirst, err := isCountryFirst(attributes)
	if err != nil {
		return oneHot{}, err
	}
	dropped, err := droppedCategories(attributes)
	if err != nil {
		return oneHot{}, err
	}
	var e oneHot
	var maps [2]map[string]int
	for i := range maps {
		if maps[i], err = e.number(categories.Items[i], dropped[i]); err != nil {
			return oneHot{}, fmt.Errorf("reading categories_[%d]: %w", i, err)
		}
	}
	e.city, e.country = maps[0], maps[1]
	if countryFirst {
		e.city, e.country = e.country, e.city
	}
	return e, nil
}

// number gives each category its column, save the dropped one (-1: none).
func (e *oneHot) number(categories any, dropped int) (map[string]int, error) {
	a, err := arrayOf(categories)
	if err != nil {
		return nil, err
	}
	texts, isText, err := a.texts()
	if err != nil {
		return nil, err
	}
	columns := make(map[string]int, len(texts))
	for i, text := range texts {
		if i == dropped {
			continue
		}
		key := normal(text)
		if _, twice := columns[key]; twice && isText[i] {
			return nil, fmt.Errorf("category %d is another one's equal once lower-cased and trimmed: fit on such text", i)
		}
		if isText[i] { // a missing value has a column too, which no text reaches
			columns[key] = e.columns
		}
		e.columns++
	}
	return columns, nil
}

// isCountryFirst looks at the names of the columns. Without names the order is city, country.
func isCountryFirst(attributes *pickle.Dict) (bool, error) {
	v, ok := attributes.Get("feature_names_in_")
	if !ok {
		return false, nil
	}
	a, err := arrayOf(v)
	if err != nil {
		return false, fmt.Errorf("reading feature_names_in_: %w", err)
	}
	names, _, err := a.texts()
	if err != nil || len(names) != 2 {
		return false, errors.New("feature_names_in_ are not two texts")
	}
	is := func(i int, part string) bool { return strings.Contains(strings.ToLower(names[i]), part) }
	switch {
	case is(0, "city") && is(1, "country"):
		return false, nil
	case is(0, "country") && is(1, "city"):
		return true, nil
	}
	return false, fmt.Errorf("the OneHotEncoder was fitted on the columns %.40q, not on city and country", names)
}

// droppedCategories reads drop_idx_, the category of each column that has none of its own. -1: none dropped.
func droppedCategories(attributes *pickle.Dict) ([2]int, error) {
	dropped := [2]int{-1, -1}
	v, ok := attributes.Get("drop_idx_")
	if drop, _ := attributes.Get("drop"); v == nil {
		if !ok && drop != nil {
			return dropped, errors.New("drop is set, but there is no drop_idx_")
		}
		return dropped, nil
	}
	a, err := arrayOf(v)
	if err != nil || a.length != 2 {
		return dropped, errors.New("drop_idx_ is not one index for each column")
	}
	for i := range dropped {
		if a.kind == 'O' {
			if a.objects[i] == nil {
				continue
			}
			if dropped[i], ok = index(a.objects[i]); !ok {
				return dropped, errors.New("drop_idx_ holds what is no index")
			}
			continue
		}
		numbers, err := a.floats()
		if err != nil {
			return dropped, fmt.Errorf("reading drop_idx_: %w", err)
		}
		dropped[i] = int(numbers[i])
	}
	return dropped, nil
}

// index reads a Python int or a pickled NumPy int64.
func index(v any) (int, bool) {
	switch v := v.(type) {
	case int64:
		return int(v), true
	case *pickle.Object: // scalar(dtype, bytes)
		if v.Class.Name != "scalar" || len(v.Args) != 2 {
			return 0, false
		}
		a, err := newArray(pickle.Tuple{int64(1)}, v.Args[0], v.Args[1])
		if err != nil || a.kind != 'i' {
			return 0, false
		}
		numbers, err := a.floats()
		if err != nil {
			return 0, false
		}
		return int(numbers[0]), true
	}
	return 0, false
}

// readEstimator reads a pickled scikit-learn object and returns its attributes. The module's name changed with
// version 0.22: preprocessing.data is now preprocessing._data.
func readEstimator(file string, data []byte, class, module string) (*pickle.Dict, error) {
	data, err := decompressed(file, data)
	if err != nil {
		return nil, err
	}
	if err := sniff(file, data, MaxScalerBytes, adviceScaler); err != nil {
		return nil, err
	}
	if strings.HasPrefix(string(data[:min(4, len(data))]), "PK\x03\x04") {
		return nil, &Unsupported{file, "a zip archive (torch.save or numpy.savez?)", adviceScaler}
	}
	estimator := []string{
		"sklearn.preprocessing." + module + "." + class,
		"sklearn.preprocessing." + strings.TrimPrefix(module, "_") + "." + class,
	}
	allowed := allowing(numpyClasses, estimator, []string{arrayWrapper})
	root, _, err := pickle.DecodeInline(data, pickle.Limits{Bytes: MaxScalerBytes}, allowed, inlineArray)
	if err != nil {
		return nil, explain(file, adviceScaler, err)
	}
	object, ok := root.(*pickle.Object)
	if !ok || object.Class.Name != class {
		return nil, &Unsupported{file, "no " + class + " but something else", adviceScaler}
	}
	attributes, ok := object.State.(*pickle.Dict)
	if !ok {
		return nil, invalid(file, "the %s has no attributes: it is not fitted", class)
	}
	return attributes, nil
}
