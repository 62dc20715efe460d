"""Drives the window as assistive technology does: by role, name and action, from outside the process.

Runs under the system's python3, which has the accessibility bindings; speaks JSON lines with the test that started it.
A request is `{"do": "press"|"text"|"names"|"wait"|"focus", ...}`; the answer `{"ok": true, ...}` or `{"ok": false, "error": ...}`.
"""

import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402


def applications():
    desktop = Atspi.get_desktop(0)
    return [desktop.get_child_at_index(i) for i in range(desktop.get_child_count())]


def walk(node, depth=0):
    if node is None or depth > 40:
        return
    yield node
    try:
        count = min(node.get_child_count(), 300)
    except Exception:  # noqa: BLE001  a node may die while it is looked at
        return
    for i in range(count):
        try:
            child = node.get_child_at_index(i)
        except Exception:  # noqa: BLE001
            continue
        yield from walk(child, depth + 1)


def describe(node):
    try:
        return {"role": node.get_role_name(), "name": node.get_name() or "", "id": node.get_accessible_id() or ""}
    except Exception:  # noqa: BLE001
        return {"role": "", "name": "", "id": ""}


def showing(node):
    return node.get_state_set().contains(Atspi.StateType.SHOWING)


def find(request):
    for app in applications():
        for node in walk(app):
            seen = describe(node)
            if request.get("id") and seen["id"].split(".")[-1] != request["id"]:
                continue
            if request.get("name") and request["name"] not in seen["name"]:
                continue
            if request.get("role") and request["role"] != seen["role"]:
                continue
            if (request.get("id") or request.get("name")) and showing(node):
                return node
    return None


def wait(request):
    deadline = time.monotonic() + request.get("seconds", 10)
    while time.monotonic() < deadline:
        node = find(request)
        if node is not None:
            return node
        time.sleep(0.1)
    raise LookupError(f"nothing like {request} within {request.get('seconds', 10)} s; in sight: {in_sight()}")


def in_sight():
    """What stands on the screen, for whoever reads why something was not found."""
    seen = []
    for app in applications():
        for node in walk(app):
            told = describe(node)
            if (told["name"] or told["id"]) and showing(node):
                seen.append(f"{told['id'].split('.')[-1]}:{told['role']}:{told['name'][:30]}")
    return seen[:120]


def text_of(node):
    text = node.get_text_iface()
    return text.get_text(0, text.get_character_count()) if text else ""


def answer(request):
    do = request["do"]
    if do == "names":
        return {"nodes": [describe(node) for app in applications() for node in walk(app)]}
    node = wait(request)
    if do == "press":
        action = node.get_action_iface()
        names = [action.get_action_name(i).lower() for i in range(action.get_n_actions())]
        chosen = next(names.index(name) for name in ("press", "click", "toggle") if name in names)
        assert action.do_action(chosen), f"{request} cannot be pressed: {names}"
    elif do == "focus":
        node.get_component_iface().grab_focus()
    elif do == "type":
        node.get_editable_text_iface().set_text_contents(request["text"])
    return {**describe(node), "text": text_of(node)}


for line in sys.stdin:
    try:
        print(json.dumps({"ok": True, **answer(json.loads(line))}), flush=True)
    except Exception as error:  # noqa: BLE001  the test decides what a failure means
        print(json.dumps({"ok": False, "error": f"{type(error).__name__}: {error}"}), flush=True)
