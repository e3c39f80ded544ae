// The live tail: newest first, pausable, bounded.
import { useDeferredValue, useEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import type { StreamDetail, StreamRecord } from '../api/schema';
import { formatCount, plural } from '../core/numbers';
import { kTailRowsMax } from '../core/tail';
import { commands } from '../ui/commands';
import { Icon } from '../ui/icons';
import { useShortcuts } from '../ui/keys';
import { Empty, Failure } from '../ui/parts';
import { useLocation } from '../ui/router';
import { useTail, type Connection } from '../ui/use_tail';
import { RecordToolbar } from './record_toolbar';
import { holds, idOf, RecordTable, RecordView } from './record_view';

export function LiveRecords({ detail }: { detail: StreamDetail }) {
  const partition = useLocation().query.get('partition') ?? '';
  return <Live key={`${detail.stream.name} ${partition}`} detail={detail} partition={partition} />;
}

function Live({ detail, partition }: { detail: StreamDetail; partition: string }) {
  const name = detail.stream.name;
  const { state, dispatch, connection, error } = useTail(
    name,
    partition === '' ? undefined : Number(partition),
  );
  const [filter, setFilter] = useState('');
  const [selected, setSelected] = useState<string>();
  const wanted = useDeferredValue(filter);
  const rows = useMemo(() => state.rows.filter((record) => holds(record, wanted)), [state.rows, wanted]);
  const shown = state.rows.find((record) => idOf(record) === selected);
  const { held, hold, release } = useHold(rows);

  // A record that was chosen to be read must not be pushed out by newer ones.
  useEffect(() => {
    if (selected !== undefined && !shown) setSelected(undefined);
  }, [selected, shown]);

  const toggle = () => dispatch({ type: state.paused ? 'resume' : 'pause' });
  const shortcuts = useMemo(() => [{ keys: ' ', what: 'Pause or resume', run: toggle }], [state.paused]);
  useShortcuts(shortcuts);

  return (
    <>
      <RecordToolbar detail={detail} mode="live" partition={partition}>
        <input
          className="field"
          type="search"
          placeholder="Filter what is shown"
          aria-label="Filter records"
          data-filter
          value={filter}
          onChange={(event) => {
            release();
            setFilter(event.target.value);
          }}
        />
        <button
          type="button"
          className="button"
          onClick={toggle}
          aria-pressed={state.paused}
          aria-keyshortcuts="Space"
        >
          <Icon name={state.paused ? 'play' : 'pause'} size={14} />
          {state.paused
            ? `Resume${state.waiting.length > 0 ? ` (${state.waiting.length} new)` : ''}`
            : 'Pause'}
        </button>
        <button type="button" className="button quiet" onClick={() => {
            release();
            dispatch({ type: 'clear' });
          }}
        >
          Clear
        </button>
        <span className="push">
          <LiveState
            connection={connection}
            paused={state.paused}
            received={state.received}
            skipped={state.skipped}
            held={held !== undefined && !state.paused}
          />
        </span>
      </RecordToolbar>
      {error && <Failure error={error} />}
      <div className="split stretch">
        <section className="panel" aria-label="Records">
          <div
            className="scroll"
            aria-live="off"
            onPointerMove={hold}
            onPointerDown={hold}
            onPointerLeave={release}
          >
            {rows.length > 0 ? (
              <RecordTable records={held ?? rows} selected={selected} onSelect={setSelected} />
            ) : state.rows.length > 0 ? (
              <Empty title="No record fits the filter">
                It looks at keys, values, headers and ids of the {plural(state.rows.length, 'record')} shown
                here.
              </Empty>
            ) : (
              <Empty
                title={connection === 'open' ? 'Waiting for the first record' : 'Connecting'}
                command={commands.produce(name)}
              >
                Records show here as they are stored. Produce one from the command line, or under “Produce a
                test record”.
              </Empty>
            )}
          </div>
          {state.rows.length >= kTailRowsMax && (
            <p className="panel-body faint small">
              The latest {formatCount(kTailRowsMax)} are kept here; go “From offset” for older ones.
            </p>
          )}
        </section>
        <section className="panel" aria-label="Record">
          <div className="scroll">
            {shown ? (
              <RecordView record={shown} stream={name} />
            ) : (
              <p className="panel-body soft">
                Choose a record to see its value and headers; <kbd>j</kbd> and <kbd>k</kbd> move.
              </p>
            )}
          </div>
        </section>
      </div>
    </>
  );
}

const kHoldMs = 4000;

/** Rows keep still under a pointer that moves, so that the one that was aimed at is the one that is chosen. */
function useHold(rows: StreamRecord[]) {
  const [held, setHeld] = useState<StreamRecord[]>();
  const timer = useRef(0);
  const release = () => {
    window.clearTimeout(timer.current);
    setHeld(undefined);
  };
  const hold = (event: PointerEvent) => {
    // Rows that move under a pointer at rest make events too.
    if (event.type === 'pointermove' && event.movementX === 0 && event.movementY === 0) return;
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setHeld(undefined), kHoldMs);
    setHeld((before) => before ?? rows);
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return { held, hold, release };
}

function LiveState({
  connection,
  paused,
  received,
  skipped,
  held,
}: {
  connection: Connection;
  paused: boolean;
  received: number;
  skipped: number;
  held: boolean;
}) {
  const live = connection === 'open' && !paused;
  const word =
    connection === 'lost'
      ? 'connection lost, trying again'
      : connection === 'connecting'
        ? 'connecting'
        : paused
          ? 'paused'
          : 'live';
  return (
    <span className={live ? 'live on' : connection === 'lost' ? 'live bad' : 'live'} role="status">
      <i />
      {word}, {plural(received, 'record')}
      {held && <span> · rows held under the pointer</span>}
      {skipped > 0 && (
        <span className="warn-text">
          {' '}
          · {formatCount(skipped)} left out: the stream is faster than this page
        </span>
      )}
    </span>
  );
}
