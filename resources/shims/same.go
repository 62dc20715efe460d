package shims

import "reflect"

// sameShim compares what a function gave with what a test of MultiPL-E wants. The test was translated from Python, so numbers
// are compared by value whatever their types, and nothing, a nil slice and an empty one are the same; but 1 is not "1", and
// ["a b"] is not ["a", "b"], which are the same to a comparison of what is printed.
func sameShim(got, want any) bool {
	return sameReflectedShim(reflect.ValueOf(got), reflect.ValueOf(want))
}

func sameReflectedShim(a, b reflect.Value) bool {
	for a.IsValid() && (a.Kind() == reflect.Interface || a.Kind() == reflect.Pointer) {
		a = a.Elem()
	}
	for b.IsValid() && (b.Kind() == reflect.Interface || b.Kind() == reflect.Pointer) {
		b = b.Elem()
	}
	if !a.IsValid() || !b.IsValid() {
		return blankShim(a) && blankShim(b)
	}
	if x, ok := numberShim(a); ok {
		y, also := numberShim(b)
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
	case listedShim(a) && listedShim(b):
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameReflectedShim(a.Index(i), b.Index(i)) {
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
				if sameReflectedShim(key, other) {
					found = sameReflectedShim(a.MapIndex(key), b.MapIndex(other))
				}
			}
			if !found {
				return false
			}
		}
		return true
	case a.Kind() == reflect.Struct && a.Type() == b.Type():
		for i := range a.NumField() {
			if !sameReflectedShim(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return false
}

func blankShim(v reflect.Value) bool {
	return !v.IsValid() || (listedShim(v) || v.Kind() == reflect.Map) && v.Len() == 0
}

func listedShim(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

func numberShim(v reflect.Value) (float64, bool) {
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
