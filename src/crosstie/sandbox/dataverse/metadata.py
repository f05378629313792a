SETS = ()


def serves(n):
    return False


def answer(call, segments): ...
