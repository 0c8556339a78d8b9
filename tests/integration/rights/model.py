"""Who may do what, as emsa(1), "Rights", says it."""

RIGHTS = ("list", "read", "set", "share", "audit", "admin")


class User:
    def __init__(self, name, uid, gid, groups=(), names=(), identity=None):
        self.name, self.uid, self.gid, self.groups = name, uid, gid, tuple(groups)
        self.names = set(names)  # as user:… and group:…, by what the process really is, and id:… by what it proves
        self.identity = identity  # the name of its file


def parts(path):
    return [part for part in path.split("/") if part]


def lies_in(path, place):
    """A right to a place holds for all that is in it."""
    return parts(path)[:len(parts(place))] == parts(place)


class Model:
    def __init__(self, grants):
        self.grants = grants  # (place, who, rights)

    def held(self, user, path):
        if user.uid == 0:
            return set(RIGHTS)
        found = set()
        for place, who, rights in self.grants:
            if who in user.names and lies_in(path, place):
                found |= set(RIGHTS) if "admin" in rights else set(rights) | {"list"}
        return found

    def holds_anything(self, user):
        return user.uid == 0 or any(who in user.names for _, who, _ in self.grants)

    def sees(self, user, path):
        """What is listed, and the environment (or everything) in which there is a right to something."""
        return "list" in self.held(user, path) or (len(parts(path)) < 2 and user.uid != 0 and any(
            who in user.names and lies_in(place, path) for place, who, _ in self.grants))

    def may(self, user, needs):
        """needs: (right, path) each; "see" and "some" are as the manual has them."""
        for right, path in needs:
            if right == "some":
                good = self.holds_anything(user)
            elif right == "see":
                good = self.sees(user, path)
            elif right == "edit":
                good = {"set", "read"} <= self.held(user, path)
            else:
                good = right in self.held(user, path)
            if not good:
                return False
        return True
