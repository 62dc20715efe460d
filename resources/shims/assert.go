package shims

import (
	"bytes"
	"math"
	"reflect"
	"testing"
)

// assert stands for the package of that name in github.com/stretchr/testify, which the tests of HumanEval-X and HumanEvalPack
// import, as far as they use it.
var assert assertingShim

type assertingShim struct{}

type assertionsShim struct{ t *testing.T }

func (assertingShim) New(t *testing.T) assertionsShim { return assertionsShim{t} }

func (assertingShim) Equal(t *testing.T, want, got any, _ ...any) bool {
	t.Helper()
	return assertionsShim{t}.Equal(want, got)
}

func (a assertionsShim) Equal(want, got any, _ ...any) bool {
	a.t.Helper()
	same := reflect.DeepEqual(want, got)
	if w, ok := want.([]byte); ok {
		if g, ok := got.([]byte); ok {
			same = (w == nil) == (g == nil) && bytes.Equal(w, g)
		}
	}
	return a.holds(same, "want %#v, got %#v", want, got)
}

func (a assertionsShim) True(value bool, _ ...any) bool {
	a.t.Helper()
	return a.holds(value, "want true, got false")
}

func (a assertionsShim) False(value bool, _ ...any) bool {
	a.t.Helper()
	return a.holds(!value, "want false, got true")
}

func (a assertionsShim) Nil(value any, _ ...any) bool {
	a.t.Helper()
	v := reflect.ValueOf(value)
	none := value == nil
	switch v.Kind() {
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice:
		none = v.IsNil()
	}
	return a.holds(none, "want nil, got %#v", value)
}

func (a assertionsShim) InDelta(want, got, delta float64, _ ...any) bool {
	a.t.Helper()
	return a.holds(math.Abs(want-got) <= delta, "want %v ± %v, got %v", want, delta, got)
}

func (a assertionsShim) holds(is bool, format string, values ...any) bool {
	a.t.Helper()
	if !is {
		a.t.Errorf(format, values...)
	}
	return is
}
