"""The open transaction of a session. Bound sessions share one."""
import itertools

from .catalogue import now_text

_ids = itertools.count(1000)


class Transaction:
    def __init__(self, session):
        self.members = [session]
        self.undo, self.savepoints = [], {}
        self._count = 0
        self.id, self.began = 0, None

    @property
    def count(self):
        """@@TRANCOUNT."""
        return self._count

    @count.setter
    def count(self, value):
        if value and not self._count:
            self.id, self.began = next(_ids), now_text()
        self._count = value

    def leave(self, session):
        """The session goes; True when nobody is left to carry the transaction on."""
        self.members = [s for s in self.members if s is not session]
        return not self.members


class InTransaction:
    """The part of a session that it shares with those it is bound to."""

    def bind(self, other):
        self.transaction.leave(self)
        self.transaction = other.transaction
        self.transaction.members.append(self)

    def unbind(self):
        if len(self.transaction.members) > 1:
            self.transaction.leave(self)
            self.transaction = Transaction(self)

    @property
    def is_bound(self):
        return len(self.transaction.members) > 1

    @property
    def undo(self):
        return self.transaction.undo

    @property
    def savepoints(self):
        return self.transaction.savepoints

    @property
    def tran_count(self):
        return self.transaction.count

    @tran_count.setter
    def tran_count(self, value):
        self.transaction.count = value
