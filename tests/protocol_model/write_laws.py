"""The write side's laws, as the model checks them: when a commit lands, and at rest."""

from tests.protocol_model.write_state import DELETED, Bounds, Commit, State, Worker

AT_REST = {
    2: "law 2: the shard is at rest, and a command has no outcome",
    4: "law 4: the shard is at rest, and a stored event is not on the topic",
}


def is_at_rest(worker: Worker, bounds: Bounds) -> bool:
    """Whether a worker believes that nothing is left to do."""
    return (
        worker.number >= 0
        and worker.offset == len(bounds.topic)
        and worker.pending is None
        and not worker.inserting
        and not worker.unacked
        and not worker.wire
    )


def stored_seqs(state: State) -> int:
    """How many events the history has."""
    return sum(len(commit.events) for commit in state.commits)


def landed(state: State, request: Commit, masks: list[int], bounds: Bounds) -> State:
    """The conditional insert: the row is written where its number is free, else nothing."""
    number = request.number
    if number <= len(state.commits):
        is_free = state.commits[number - 1].left == DELETED
        return state._replace(broken="law 3: a number is used twice") if is_free else state
    commits = (*state.commits, request)
    law = _law_broken(state, request, masks, bounds)
    published = state.published if bounds.publishes else state.published + len(request.events)
    index = state.indexed
    if not bounds.indexes_late:
        index |= sum(1 << command for command, _ in request.events)
    return state._replace(commits=commits, indexed=index, published=published, broken=law)


def _law_broken(state: State, commit: Commit, masks: list[int], bounds: Bounds) -> str:
    history = sum(1 << command for c in state.commits for command, _ in c.events)
    for command, version in commit.events:
        if history >> command & 1:
            return "law 1: a command is decided twice"
        own = (history & masks[bounds.accounts[command]]).bit_count()
        if version != own + 1:
            return "law 3: the versions of an account have a gap or a repeat"
        history |= 1 << command
    if commit.first_seq != stored_seqs(state) + 1:
        return "law 3: the seqs of the shard have a gap or a repeat"
    return ""
