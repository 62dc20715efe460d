package shims

import "reflect"

// sameValue compares what a function gave with what a test of MultiPL-E wants. The test was translated from Python, so numbers
// are compared by value whatever their types, and nothing, a nil slice and an empty one are the same; but 1 is not "1", and
// ["a b"] is not ["a", "b"], which are the same to a comparison of what is printed.
func sameValue(got, want any) bool {
	return sameReflected(reflect.ValueOf(got), reflect.ValueOf(want))
}

func sameReflected(a, b reflect.Value) bool {
	for a.IsValid() && (a.Kind() == reflect.Interface || a.Kind() == reflect.Pointer) {
		a = a.Elem()
	}
	for b.IsValid() && (b.Kind() == reflect.Interface || b.Kind() == reflect.Pointer) {
		b = b.Elem()
	}
	if !a.IsValid() || !b.IsValid() {
		return blankReflected(a) && blankReflected(b)
	}
	if x, ok := numberOf(a); ok {
		y, also := numberOf(b)
		if a.CanInt() && b.CanInt() {
			return a.Int() == b.Int()
		}
		return also && (x == y || x != x && y != y)
	}
	switch {
	case a.Kind() == reflect.Bool && b.Kind() == reflect.Bool:
		return a.Bool() == b.Bool()
	case a.Kind() == reflect.String && b.Kind() == reflect.String:
		return a.String() == b.String()
	case listed(a) && listed(b):
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameReflected(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case a.Kind() == reflect.Map && b.Kind() == reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, key := range a.MapKeys() {
			found := false
			for _, other := range b.MapKeys() {
				if sameReflected(key, other) {
					found = sameReflected(a.MapIndex(key), b.MapIndex(other))
				}
			}
			if !found {
				return false
			}
		}
		return true
	case a.Kind() == reflect.Struct && a.Type() == b.Type():
		for i := range a.NumField() {
			if !sameReflected(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return false
}

func blankReflected(v reflect.Value) bool {
	return !v.IsValid() || (listed(v) || v.Kind() == reflect.Map) && v.Len() == 0
}

func listed(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

func numberOf(v reflect.Value) (float64, bool) {
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}
