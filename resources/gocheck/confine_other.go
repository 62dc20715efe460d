//go:build !linux

package main

import "errors"

var errLinux = errors.New("only Linux has these limits and walls")

func dieWithParent() error { return errLinux }

func (l limits) set() error { return errLinux }

func reenter([]string) (int, error) { return 0, errLinux }

func (r room) run(limits, []string) (int, error) { return 0, errLinux }

func (r room) serve(limits) error { return errLinux }

func walls([]string) { fatal(errLinux) }
