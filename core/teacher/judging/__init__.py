"""The judge: a second model scores samples by a rubric. Its scores are advice, and it is told how far the reviewers agree with it.

Decides nothing: no status is changed here. A score belongs to the text that was judged; an edited sample has none until it is judged again.
"""
