"Exercises of the lesson learner: what to write, what it is held against, what is refused."
from types import SimpleNamespace

import torch
from torch import nn, tensor
from torch.nn import functional as F

from ..contract import Case, Exercise, Wrong

# split_batch: which parts go into the model

def split_batch(batch, n_inp):
    "The inputs and the targets of a batch, as two tuples."
    return tuple(batch[:n_inp]), tuple(batch[n_inp:])

def split_by_places(batch, n_inp):
    places = list(enumerate(batch))
    return tuple(part for i, part in places if i < n_inp), tuple(part for i, part in places if i >= n_inp)

def split_by_taking(batch, n_inp):
    parts = iter(batch)
    return tuple(next(parts) for _ in range(n_inp)), tuple(parts)

def two_tuples(f, batch, n_inp):
    "Both tuples as one list, with a word on their kind: a list in the place of a tuple counts as another form."
    found = f(batch, n_inp)
    if not (isinstance(found, tuple) and len(found) == 2): return found
    kinds = [type(part).__name__ for part in found]
    return [kinds, *([len(part), list(part)] if isinstance(part, (tuple, list)) else part for part in found)]

def split_cases(g):
    x, y, z = torch.randn(3, 2, generator=g), tensor([1, 0, 2]), torch.randn(3, 4, generator=g)
    return [Case(((x, y), 1), 'a picture and its label'), Case(((x, z, y), 2), 'two inputs, one target'), Case(((x, y, z), 1), 'one input, two targets'),
            Case(((x,), 1), 'no target'), Case(((x[:1], z[:1]), 2), 'two inputs, no target')]

SPLIT_BATCH = Exercise(
    name='split_batch', task='The pair of tuples (xb, yb): the first n_inp parts of the tuple `batch`, and the others. Without targets yb is empty.',
    reference=split_batch, alternative=split_by_places, spec=split_by_taking, cases=split_cases, observe=two_tuples,
    hints=('A slice of a tuple is a tuple.', 'From the start to n_inp, and from n_inp to the end.', 'return batch[:n_inp], batch[n_inp:]'),
    wrong=(Wrong(lambda batch, n_inp: (batch[:n_inp], batch[n_inp]), 'error', 'A single part in the place of a tuple: with no targets there is none, and with two the second is lost. Take a slice.'),
           Wrong(lambda batch, n_inp: (list(batch[:n_inp]), list(batch[n_inp:])), 'value', 'Two lists; the contract asks for tuples.'),
           Wrong(lambda batch, n_inp: (batch[:-1], batch[-1:]), 'shape', 'That takes one target, always. n_inp says how many parts are inputs.'),
           Wrong(lambda batch, n_inp: (batch[n_inp:], batch[:n_inp]), 'shape', 'Both are right, in the other order: the inputs first.')))

# uncancelled: where the try stands

def uncancelled(work, batches):
    "Calls `work` with each batch; how many did not raise StopIteration. Other errors reach the caller."
    done = 0
    for batch in batches:
        try:
            work(batch)
            done += 1
        except StopIteration: pass
    return done

def uncancelled_by_list(work, batches):
    def went_through(batch):
        try: work(batch)
        except StopIteration: return False
        return True
    return sum([went_through(batch) for batch in batches])

def worker(seen, skips, breaks):
    "Work that notes the batch, skips some and breaks at others."
    def work(batch):
        seen.append(batch)
        if batch in breaks: raise ValueError(f'batch {batch} cannot be used')
        if batch in skips: raise StopIteration
    return work

def count_and_order(f, batches, skips, breaks):
    "What `f` returns, and which batches it worked on."
    seen: list[int] = []
    return [f(worker(seen, skips, breaks), batches), len(seen), *seen]

def uncancelled_spec(work, batches):
    left = []
    for batch in batches:
        try: work(batch)
        except StopIteration: left.append(batch)
    return len(list(batches)) - len(left)

def uncancelled_cases(g):
    return [Case(([5, 7, 9], [7], []), 'three batches, the second skipped'), Case(([1, 2, 3, 4], [1, 4], []), 'the first and the last skipped'), Case(([], [], []), 'no batch'),
            Case(([6], [6], []), 'one batch, skipped'), Case(([3, 8], [], []), 'none skipped')]

def uncancelled_refuses(g): return [Case(([1, 2, 3], [1], [2]), 'a batch that cannot be used')]

def try_around_the_loop(work, batches):
    done = 0
    try:
        for batch in batches:
            work(batch)
            done += 1
    except StopIteration: pass
    return done

def swallows_everything(work, batches):
    done = 0
    for batch in batches:
        try:
            work(batch)
            done += 1
        except Exception: pass
    return done

def counts_before(work, batches):
    done = 0
    for batch in batches:
        done += 1
        try: work(batch)
        except StopIteration: pass
    return done

def does_it_twice(work, batches):
    uncancelled(work, batches)
    return uncancelled(work, batches)

UNCANCELLED = Exercise(
    name='uncancelled', task='Calls work(batch) for each batch, in order, once. Returns how many did not raise StopIteration; every other error reaches the caller.',
    reference=uncancelled, alternative=uncancelled_by_list, spec=uncancelled_spec, cases=uncancelled_cases, refuses=uncancelled_refuses, observe=count_and_order,
    hints=('Where the exception is caught decides what is skipped.', 'The try stands inside the loop, and names the one exception that it knows.',
           'for batch in batches: try: work(batch); done += 1, and except StopIteration: pass'),
    wrong=(Wrong(try_around_the_loop, 'shape', 'The try stands around the loop, so the first batch that is skipped ends it all.'),
           Wrong(swallows_everything, 'refusal', 'It catches every exception: a real error, a batch that cannot be used, is silently counted as skipped.'),
           Wrong(counts_before, 'value', 'It counts a batch before it knows whether it goes through.'),
           Wrong(lambda work, batches: [work(batch) for batch in batches].__len__(), 'error', 'Nothing catches the StopIteration.'),
           Wrong(does_it_twice, 'shape', 'Each batch is worked on twice.')))

# who_hears: looked up once, in order

def who_hears(callbacks, event):
    "What the methods called `event` return, by their callbacks' `order`; a callback without it is left out."
    ordered = sorted(callbacks, key=lambda cb: cb.order)
    return [getattr(cb, event)() for cb in ordered if hasattr(cb, event)]

def hears_by_ranks(callbacks, event):
    keen = [cb for cb in callbacks if event in dir(cb)]
    ranks = sorted((cb.order, place) for place, cb in enumerate(keen))
    return [getattr(keen[place], event)() for _, place in ranks]

def hears_by_search(callbacks, event):
    left, said = list(callbacks), []
    while left:
        first = left[0]
        for cb in left:
            if cb.order < first.order: first = cb
        left = [cb for cb in left if cb is not first]
        if hasattr(first, event): said.append(getattr(first, event)())
    return said

def made(name, order, *events): return SimpleNamespace(order=order, **{event: lambda name=name: name for event in events})

def said_and_left(f, sheet, event):
    "What is said, and whether the list that was given is as it was."
    callbacks = [made(*row) for row in sheet]
    given = list(callbacks)
    said = f(callbacks, event)
    return [said, 'the list as it was' if len(given) == len(callbacks) and all(a is b for a, b in zip(given, callbacks)) else 'the list is changed']

def hears_cases(g):
    sheet = [('bar', 60, 'after_batch', 'after_fit'), ('recorder', 50, 'after_batch'), ('clip', 0, 'before_step'), ('stop', 70, 'after_batch')]
    three = [sheet[0], sheet[1], sheet[3]]
    equal = [('b', 5, 'before_fit'), ('a', 5, 'before_fit'), ('z', -1, 'before_fit'), ('c', 5, 'after_fit')]
    return [Case((three, 'after_batch'), 'orders 60, 50 and 70'), Case((sheet, 'after_batch'), 'one does not listen'),
            Case((equal, 'before_fit'), 'equal orders'), Case((sheet, 'before_epoch'), 'nobody listens'), Case(([], 'after_fit'), 'no callbacks')]

def hears_sorting_in_place(callbacks, event):
    callbacks.sort(key=lambda cb: cb.order)
    return [getattr(cb, event)() for cb in callbacks if hasattr(cb, event)]

WHO_HEARS = Exercise(
    name='who_hears', task='The results of the methods called `event`, in the order of `order`, equals as they were given. Callbacks without it are left out; the given list stays as it is.',
    reference=who_hears, alternative=hears_by_ranks, spec=hears_by_search, cases=hears_cases, observe=said_and_left,
    hints=('sorted(..., key=...) makes a new list, and keeps equals in their order.', 'hasattr(cb, event) asks, getattr(cb, event) gets the method; then call it.',
           '[getattr(cb, event)() for cb in sorted(callbacks, key=lambda cb: cb.order) if hasattr(cb, event)]'),
    wrong=(Wrong(lambda cbs, event: [getattr(cb, event)() for cb in cbs if hasattr(cb, event)], 'value', 'This is the order in which they were given. Their `order` decides.'),
           Wrong(lambda cbs, event: who_hears(cbs[::-1], event), 'value', 'Equal orders come reversed: of equals the one that was given first acts first.'),
           Wrong(lambda cbs, event: who_hears(cbs, event)[::-1], 'value', 'The largest order comes first. Smaller ones act first.'),
           Wrong(lambda cbs, event: [getattr(cb, event)() for cb in sorted(cbs, key=lambda cb: cb.order)], 'error', 'Not every callback has the method: ask hasattr first.'),
           Wrong(hears_sorting_in_place, 'value', 'The answer is right, but `.sort()` has turned the list of the caller around. `sorted` makes a new one.'),
           Wrong(lambda cbs, event: [getattr(cb, event, lambda: None)() for cb in sorted(cbs, key=lambda cb: cb.order)], 'shape', 'A callback that does not listen is left out; here it says None.')))

# event_log: exact order

def event_log(n_epoch, n_batch, cancel_at=None):
    "The events of a fit in order; one that is cancelled within the batch number `cancel_at`, if it is not None."
    log, count = ['before_fit'], 0
    for _ in range(n_epoch):
        log.append('before_epoch')
        for _ in range(n_batch):
            log.append('before_batch')
            if count == cancel_at: return log + ['after_cancel_fit', 'after_fit']
            log.append('after_batch')
            count += 1
        log.append('after_epoch')
    return log + ['after_fit']

class _Enough(Exception): pass

def log_by_exception(n_epoch, n_batch, cancel_at=None):
    log = ['before_fit']
    def one_epoch(epoch):
        log.append('before_epoch')
        for batch in range(n_batch):
            log.append('before_batch')
            if cancel_at is not None and epoch*n_batch + batch == cancel_at: raise _Enough
            log.append('after_batch')
        log.append('after_epoch')
    try:
        for epoch in range(n_epoch): one_epoch(epoch)
    except _Enough: log.append('after_cancel_fit')
    return [*log, 'after_fit']

def log_by_cutting(n_epoch, n_batch, cancel_at=None):
    whole = ['before_fit', *n_epoch*['before_epoch', *n_batch*['before_batch', 'after_batch'], 'after_epoch'], 'after_fit']
    if cancel_at is None or cancel_at >= n_epoch*n_batch: return whole
    place = [i for i, event in enumerate(whole) if event == 'before_batch'][cancel_at]
    return [*whole[:place + 1], 'after_cancel_fit', 'after_fit']

def numbered(f, *args):
    "The log and its length."
    log = f(*args)
    return [len(log), *log] if isinstance(log, list) else log

def log_cases(g):
    return [Case((1, 2), 'one epoch of two batches'), Case((2, 3), 'two epochs of three batches'), Case((1, 2, 1), 'cancelled in the second batch'), Case((2, 3, 0), 'cancelled at once'),
            Case((2, 3, 4), 'cancelled in the second epoch'), Case((0, 4), 'no epoch'), Case((2, 1, 2), 'cancelled at a batch that never comes')]

def log_one_batch_event(n_epoch, n_batch, cancel_at=None):
    log, first = event_log(n_epoch, n_batch, cancel_at), []
    for i, event in enumerate(log):
        if event != 'before_batch' or log[i - 1] == 'before_epoch': first.append(event)
    return first

def log_without_end(n_epoch, n_batch, cancel_at=None):
    log = event_log(n_epoch, n_batch, cancel_at)
    return log[:-1] if 'after_cancel_fit' in log else log

def log_with_after_batch(n_epoch, n_batch, cancel_at=None):
    log = event_log(n_epoch, n_batch, cancel_at)
    return log[:-2] + ['after_batch'] + log[-2:] if 'after_cancel_fit' in log else log

def log_counting_anew(n_epoch, n_batch, cancel_at=None):
    return event_log(n_epoch, n_batch, cancel_at if cancel_at is None or cancel_at < n_batch else None)

def log_of_falsy(n_epoch, n_batch, cancel_at=None): return event_log(n_epoch, n_batch, cancel_at or None)

EVENT_LOG = Exercise(
    name='event_log', task='The list of events of n_epoch epochs of n_batch batches. Cancelled within batch number cancel_at (from 0, over all epochs), the fit goes straight to after_cancel_fit and after_fit.',
    reference=event_log, alternative=log_by_exception, spec=log_by_cutting, cases=log_cases, observe=numbered,
    hints=('Two loops, one in the other, and an append for each moment.', 'Keep a count of the batches of all epochs. After the before_batch of number cancel_at nothing of the ordinary course follows.',
           "if count == cancel_at: return log + ['after_cancel_fit', 'after_fit'], right after the before_batch."),
    wrong=(Wrong(log_one_batch_event, 'shape', 'before_batch comes once for each batch, not once for each epoch.'),
           Wrong(log_without_end, 'shape', 'A cancelled fit ends without after_fit. That one always comes: callbacks close there what they have opened.'),
           Wrong(log_with_after_batch, 'shape', 'The batch was cancelled, and the whole fit with it: its after_batch does not come.'),
           Wrong(log_counting_anew, 'shape', 'cancel_at counts over all epochs; this counts anew in each.'),
           Wrong(log_of_falsy, 'shape', 'Batch number 0 can be cancelled too, and 0 is not None. Ask `is None`.'),
           Wrong(lambda *args: [e for e in event_log(*args) if e != 'after_cancel_fit'], 'shape', 'after_cancel_fit is missing.'),
           Wrong(lambda *args: ' '.join(event_log(*args)), 'shape', 'One long string; the contract asks for a list of names.')))

# early_stop: patience

def early_stop(losses, patience):
    "How many epochs run before the loss has not beaten its best for `patience` epochs in a row."
    best, waited = float('inf'), 0
    for epoch, loss in enumerate(losses, 1):
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == patience: return epoch
    return len(losses)

def stop_by_looking_back(losses, patience):
    for n in range(patience + 1, len(losses) + 1):
        if min(losses[n - patience:n]) >= min(losses[:n - patience]): return n
    return len(losses)

def stop_by_marks(losses, patience):
    marks = ''.join('+' if all(loss < earlier for earlier in losses[:i]) else '-' for i, loss in enumerate(losses))
    place = marks.find('-'*patience)
    return len(losses) if place < 0 else place + patience

def stop_cases(g):
    return [Case(([.9, .7, .8, .75, .72, .71, .6], 3), 'patience 3'), Case(([.9, .7, .8, .6, .65, .5, .55], 2), 'failures, but never two in a row'), Case(([.5, .5, .5], 1), 'equal is no improvement'),
            Case(([.9, .8, .85, .82, .81, .7], 3), 'smaller than the one before, not than the best'), Case(([3., 2., 1.], 1), 'always better'), Case(([.4], 1), 'one epoch'),
            Case(([], 2), 'no epoch'), Case(([.5, .6, .7, .8, .4], 4), 'patience just enough')]

def stop_at_first_rise(losses, patience): return early_stop(losses, 1)

def stop_never_resets(losses, patience):
    best, waited = float('inf'), 0
    for epoch, loss in enumerate(losses, 1):
        waited += loss >= best
        best = min(best, loss)
        if waited == patience: return epoch
    return len(losses)

def stop_by_the_one_before(losses, patience):
    waited = 0
    for epoch, loss in enumerate(losses, 1):
        waited = waited + 1 if epoch > 1 and loss >= losses[epoch - 2] else 0
        if waited == patience: return epoch
    return len(losses)

def stop_with_ties(losses, patience):
    best, waited = float('inf'), 0
    for epoch, loss in enumerate(losses, 1):
        waited = 0 if loss <= best else waited + 1
        best = min(best, loss)
        if waited == patience: return epoch
    return len(losses)

def stop_one_late(losses, patience): return early_stop(losses, patience + 1)

EARLY_STOP = Exercise(
    name='early_stop', task='How many epochs are run: up to the one in which the loss has not fallen below its best for `patience` epochs in a row, or all. Equal to the best is no improvement.',
    reference=early_stop, alternative=stop_by_looking_back, spec=stop_by_marks, cases=stop_cases,
    hints=('Remember two things: the best loss so far, and for how many epochs it has not been beaten.', 'A new best sets the waiting back to 0; anything else adds 1.',
           'waited = 0 if loss < best else waited + 1; best = min(best, loss); if waited == patience: return epoch, counted from 1.'),
    wrong=(Wrong(stop_at_first_rise, 'value', 'It ends at the first failure. Patience says how many in a row are borne.'),
           Wrong(stop_never_resets, 'value', 'The waiting never goes back to 0: it counts all failures, not those in a row.'),
           Wrong(stop_by_the_one_before, 'value', 'It compares with the epoch before. A loss that creeps down again after a jump may still be above the best.'),
           Wrong(stop_with_ties, 'value', 'A loss equal to the best counts as an improvement here; it is none.'),
           Wrong(stop_one_late, 'value', 'One epoch too many: stop as soon as the waiting has reached the patience.'),
           Wrong(lambda losses, patience: early_stop(losses, patience) - 1, 'value', 'That is the index of the last epoch, counted from 0. How many were run?')))

# steady_loss: the bug lab

def hasty_loss(model, loss_func, xb, yb):
    "The loss of a batch, a float; the model is left as it was."
    with torch.no_grad(): return loss_func(model(xb), yb).item()

def steady_loss(model, loss_func, xb, yb):
    "The loss of a batch, a float; the model is left as it was."
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    with torch.no_grad(): loss = loss_func(model(xb), yb).item()
    for layer, mode in modes: layer.training = mode
    return loss

def steady_by_copy(model, loss_func, xb, yb):
    from copy import deepcopy
    return float(loss_func(deepcopy(model).eval()(xb), yb).detach())

def steady_by_names(model, loss_func, xb, yb):
    modes = {name: layer.training for name, layer in model.named_modules()}
    loss = loss_func(model.eval()(xb), yb).item()
    for name, layer in model.named_modules(): layer.training = modes[name]
    return loss

def looked_at(f, seen, weight, bias, scale, xb, yb):
    "Two looks at a model with dropout and batch norm; its modes, statistics and gradients afterwards."
    with torch.device(xb.device), torch.random.fork_rng(devices=[]): first, norm, last = nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)
    model, counted = nn.Sequential(first, norm, nn.Dropout(.5), last), norm.state_dict()
    with torch.no_grad():
        first.weight.copy_(weight)
        first.bias.copy_(bias)
        last.weight.copy_(scale)
        last.bias.zero_()
    for layer, mode in zip(model.modules(), seen): layer.training = mode
    grads = [torch.full_like(p, .5) for p in model.parameters()]
    for p, grad in zip(model.parameters(), grads): p.grad = grad.clone()
    losses = [f(model, F.mse_loss, xb, yb) for _ in range(2)]
    if not all(isinstance(loss, float) for loss in losses): return losses[0]
    same = all(p.grad is not None and torch.equal(p.grad, grad) for p, grad in zip(model.parameters(), grads))
    return [xb.new_tensor(losses), [layer.training for layer in model.modules()], counted['running_mean'], counted['num_batches_tracked'].float(),
            'gradients as they were' if same else 'gradients changed', first.weight.detach()]

def steady_cases(g):
    def case(seen, n, says):
        return Case((seen, torch.randn(3, 2, generator=g), torch.randn(3, generator=g), torch.randn(1, 3, generator=g), torch.randn(n, 2, generator=g), torch.randn(n, 1, generator=g)), says)
    return [case([True]*5, 4, 'a model in train mode'), case([False]*5, 1, 'one item, a model in eval mode'), case([True, True, False, True, True], 3, 'one layer in eval mode on purpose')]

def steady_left_in_eval(model, loss_func, xb, yb):
    model.eval()
    return hasty_loss(model, loss_func, xb, yb)

def steady_all_train(model, loss_func, xb, yb):
    loss = steady_left_in_eval(model, loss_func, xb, yb)
    model.train()
    return loss

def steady_by_the_whole(model, loss_func, xb, yb):
    mode = model.training
    loss = steady_left_in_eval(model, loss_func, xb, yb)
    model.train(mode)
    return loss

def steady_with_gradients(model, loss_func, xb, yb):
    modes = [(layer, layer.training) for layer in model.modules()]
    loss = loss_func(model.eval()(xb), yb)
    loss.backward()
    for layer, mode in modes: layer.training = mode
    return loss.item()

def steady_without_dropout(model, loss_func, xb, yb):
    dropouts = [(layer, layer.training) for layer in model.modules() if isinstance(layer, nn.Dropout)]
    for layer, _ in dropouts: layer.training = False
    loss = hasty_loss(model, loss_func, xb, yb)
    for layer, mode in dropouts: layer.training = mode
    return loss

def steady_seeded(model, loss_func, xb, yb):
    torch.manual_seed(0)
    return steady_loss(model, loss_func, xb, yb)

STEADY_LOSS = Exercise(
    name='steady_loss', task='Mend hasty_loss: the loss of a batch in eval mode, a float, the same at every look. Afterwards every layer is in the mode in which it was, and statistics and gradients are untouched.',
    reference=steady_loss, alternative=steady_by_copy, spec=steady_by_names, cases=steady_cases, observe=looked_at, bug=hasty_loss,
    hints=('Which layers behave differently in training? Who tells them that this is none?', 'model.eval() before, and afterwards back; but back to what? Each layer has its own `.training`.',
           'modes = [(layer, layer.training) for layer in model.modules()], then model.eval(), the loss, and layer.training = mode for each.'),
    wrong=(Wrong(lambda *args: hasty_loss(*args), 'value', 'The model is still in train mode: dropout throws a die at each look, and batch norm takes in the items.'),
           Wrong(steady_left_in_eval, 'value', 'The loss is right, but the model stays in eval mode: the next epoch trains without dropout.'),
           Wrong(steady_all_train, 'value', 'Afterwards everything is in train mode, whatever it was before.'),
           Wrong(steady_by_the_whole, 'value', "`model.train(mode)` sets every layer to the whole model's mode. The one that was in eval mode on purpose is not any more."),
           Wrong(steady_with_gradients, 'value', 'Nothing is to be learned here: backward has added to the gradients that were there.'),
           Wrong(steady_without_dropout, 'value', 'Dropout is quiet now, batch norm is not: it normalises with these very items, and remembers them.'),
           Wrong(steady_seeded, 'random', 'The loss is right, but a seed is set on the way: whoever draws next draws the same each time. In eval mode nothing is drawn at all.'),
           Wrong(lambda *args: tensor(steady_loss(*args)), 'shape', 'The loss is a tensor; the contract asks for a float.')))

EXERCISES = [SPLIT_BATCH, UNCANCELLED, WHO_HEARS, EVENT_LOG, EARLY_STOP, STEADY_LOSS]
