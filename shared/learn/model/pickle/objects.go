package pickle

// fill adds values to the list, dict, set or dict-like object below them.
func (m *machine) fill(op byte) error {
	values, err := m.fillings(op)
	if err != nil {
		return err
	}
	container, err := m.top()
	if err != nil {
		return err
	}
	pairs := op == opSetItem || op == opSetItems
	switch c := container.(type) {
	case *List:
		if !pairs && op != opAddItems {
			c.Items = append(c.Items, values...)
			return nil
		}
	case *Object:
		if pairs {
			return m.setItems(&c.Dict, values)
		}
	case *Dict:
		if pairs {
			return m.setItems(c, values)
		}
		if op == opAddItems {
			for _, v := range values {
				c.Items = append(c.Items, Item{Key: v})
			}
			return nil
		}
	}
	return m.malformed("values for a %T", container)
}

func (m *machine) fillings(op byte) (Tuple, error) {
	switch op {
	case opAppend:
		return m.take(1)
	case opSetItem:
		return m.take(2)
	}
	return m.takeToMark()
}

func (m *machine) setItems(d *Dict, values Tuple) error {
	if len(values)%2 != 0 {
		return m.malformed("a key without a value")
	}
	for i := 0; i < len(values); i += 2 {
		d.Items = append(d.Items, Item{values[i], values[i+1]})
	}
	return nil
}

func (m *machine) pushClass(op byte) error {
	class, err := m.class(op)
	if err != nil {
		return err
	}
	if !m.allowed(class) {
		return &ForbiddenClass{class}
	}
	return m.push(class)
}

func (m *machine) class(op byte) (Class, error) {
	if op == opGlobal {
		module, err := m.line()
		if err != nil {
			return Class{}, err
		}
		name, err := m.line()
		return Class{module, name}, err
	}
	pair, err := m.take(2)
	if err != nil {
		return Class{}, err
	}
	module, ok1 := pair[0].(string)
	name, ok2 := pair[1].(string)
	if !ok1 || !ok2 {
		return Class{}, m.malformed("a class whose name is no text")
	}
	return Class{module, name}, nil
}

// pushObject notes a call (REDUCE) or a construction (NEWOBJ, NEWOBJ_EX). Keyword arguments are refused.
func (m *machine) pushObject(op byte) error {
	if op == opNewObjEx {
		keywords, err := m.pop()
		if err != nil {
			return err
		}
		if d, ok := keywords.(*Dict); !ok || len(d.Items) > 0 {
			return m.malformed("a construction with keyword arguments")
		}
	}
	pair, err := m.take(2)
	if err != nil {
		return err
	}
	class, ok := pair[0].(Class)
	if !ok {
		return m.malformed("a call of a %T, which is no class", pair[0])
	}
	args, ok := pair[1].(Tuple)
	if !ok {
		return m.malformed("arguments in a %T, not in a tuple", pair[1])
	}
	return m.push(&Object{Class: class, Args: args})
}

func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	top, err := m.top()
	if err != nil {
		return err
	}
	object, ok := top.(*Object)
	if !ok {
		return m.malformed("a state for a %T, which is no object", top)
	}
	object.State = state
	return m.replace(object)
}
