// Says where a group goes on. First shows what that does in each partition; only then it can be done.
import { useState } from 'react';
import { api, type ApiError } from '../api/client';
import type { GroupDetail, GroupReset, GroupResetResult } from '../api/schema';
import {
  effectOf,
  inOrder,
  readReset,
  streamsOf,
  summaryOf,
  type ResetForm,
  type ResetTo,
} from '../core/groups';
import { formatCount, plural } from '../core/numbers';
import { toLocalInput } from '../core/time';
import { commands } from '../ui/commands';
import { asApiError, useLoaded } from '../ui/data';
import { announce, Dialog } from '../ui/dialog';
import { Command, Failure, Segments } from '../ui/parts';

const places: { value: ResetTo; label: string; what: string }[] = [
  {
    value: 'earliest',
    label: 'Earliest',
    what: 'To the first record that is kept: all of it is read again.',
  },
  { value: 'latest', label: 'Latest', what: 'To the end: what waits is skipped.' },
  { value: 'time', label: 'Time', what: 'To the first record that was stored at or after this time.' },
  { value: 'offset', label: 'Offset', what: 'To this offset, in each partition.' },
  {
    value: 'shift',
    label: 'Shift',
    what: 'By so many records in each partition; negative reads them again.',
  },
];

type Preview = { reset: GroupReset; items: GroupResetResult['items'] };

type Props = { detail: GroupDetail; onClose: () => void; onDone: () => void };

export function ResetDialog({ detail, onClose, onDone }: Props) {
  const { group, members = 0, offsets = [] } = detail.group;
  const [form, setForm] = useState<ResetForm>(() => ({
    to: 'earliest',
    number: '',
    time: toLocalInput(new Date(Date.now() - 3_600_000)),
    stream: '',
  }));
  const [preview, setPreview] = useState<Preview>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const known = streamsOf(offsets);
  const all = useLoaded('stream names', (signal) => api.streams({ limit: 500 }, signal)).data?.items ?? [];
  const others = all.map((one) => one.name).filter((one) => !known.includes(one));
  const read = readReset(form);

  // What was shown is what is done: another choice needs another look.
  const change = (fields: Partial<ResetForm>) => {
    setForm({ ...form, ...fields });
    setPreview(undefined);
    setError(undefined);
  };
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (failure) {
      setError(asApiError(failure));
    } finally {
      setBusy(false);
    }
  };
  const look = (reset: GroupReset) =>
    attempt(async () => {
      const { items } = await api.resetGroup(group, { ...reset, preview: true });
      setPreview({ reset, items: inOrder(items) });
    });
  const reset = (shown: Preview) =>
    attempt(async () => {
      const { items } = await api.resetGroup(group, { ...shown.reset, preview: false });
      announce(`Group ${group} was reset in ${plural(items.length, 'partition')}.`);
      onDone();
      onClose();
    });

  return (
    <Dialog label={`Reset ${group}`} className="broad" onClose={onClose}>
      <div className="dialog-body">
        <h2>Where does {group} go on?</h2>
        {members > 0 && (
          <p className="notice">
            It has {plural(members, 'member')} now. Its programs must be stopped before it can be reset; what
            a reset would do can be seen already.
          </p>
        )}
        <Form
          form={form}
          known={known}
          others={others}
          fault={'fault' in read ? read.fault : ''}
          onChange={change}
        />
        <div>
          <button
            type="button"
            className={preview ? 'button' : 'button primary'}
            disabled={busy || 'fault' in read}
            onClick={() => 'reset' in read && void look(read.reset)}
          >
            {busy && !preview ? 'Looking …' : 'Show what changes'}
          </button>
        </div>
        {preview && <PreviewTable preview={preview} group={group} />}
        {error && <Failure error={error} />}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        {preview && (
          <button
            type="button"
            className="button primary"
            disabled={busy}
            onClick={() => void reset(preview)}
          >
            {busy ? 'Working …' : `Reset ${plural(preview.items.length, 'partition')}`}
          </button>
        )}
      </div>
    </Dialog>
  );
}

function Form({
  form,
  known,
  others,
  fault,
  onChange,
}: {
  form: ResetForm;
  /** Streams that the group has offsets in, and those that are new to it. */
  known: string[];
  others: string[];
  fault: string;
  onChange: (fields: Partial<ResetForm>) => void;
}) {
  const needsNumber = form.to === 'offset' || form.to === 'shift';
  const typed = needsNumber ? form.number !== '' : form.time !== '';
  return (
    <div className="stack">
      <div>
        <Segments
          label="Go on at"
          value={form.to}
          options={places}
          onChange={(to) => onChange({ to, number: '' })}
        />
      </div>
      <p className="soft small" id="reset-what">
        {places.find((place) => place.value === form.to)?.what}
      </p>
      <div className="bar">
        {needsNumber && (
          <label className="label">
            {form.to === 'offset' ? 'Offset' : 'Records'}
            <input
              className="field mono"
              inputMode="numeric"
              autoFocus
              value={form.number}
              placeholder={form.to === 'offset' ? '0' : '-100'}
              aria-invalid={typed && fault !== ''}
              aria-describedby="reset-what reset-fault"
              onChange={(event) => onChange({ number: event.target.value })}
            />
          </label>
        )}
        {form.to === 'time' && (
          <label className="label">
            Time, in the zone of this browser
            <input
              className="field"
              type="datetime-local"
              step="1"
              value={form.time}
              aria-describedby="reset-what reset-fault"
              onChange={(event) => onChange({ time: event.target.value })}
            />
          </label>
        )}
        <label className="label">
          In
          <select
            className="field"
            value={form.stream}
            onChange={(event) => onChange({ stream: event.target.value })}
          >
            <option value="">every partition that it has an offset in</option>
            <optgroup label="Only this stream">
              {known.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </optgroup>
            <optgroup label="A stream that is new to it">
              {others.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </optgroup>
          </select>
        </label>
      </div>
      <p className="small bad-text" id="reset-fault" aria-live="polite">
        {typed ? fault : ''}
      </p>
    </div>
  );
}

function PreviewTable({ preview, group }: { preview: Preview; group: string }) {
  return (
    <section className="stack" aria-label="What changes">
      <p role="status">{summaryOf(preview.items)} Nothing was changed yet.</p>
      <div className="panel table-scroll dialog-scroll">
        <table className="table">
          <thead>
            <tr>
              <th>Stream</th>
              <th className="number">Partition</th>
              <th className="number">From</th>
              <th className="number">To</th>
              <th>Effect</th>
            </tr>
          </thead>
          <tbody>
            {preview.items.map((item) => {
              const effect = effectOf(item);
              return (
                <tr key={`${item.stream} ${item.partition}`}>
                  <td className="capped" title={item.stream}>
                    {item.stream}
                  </td>
                  <td className="number">{item.partition}</td>
                  <td className="number soft">{item.from === undefined ? '–' : formatCount(item.from)}</td>
                  <td className="number">{formatCount(item.to)}</td>
                  <td
                    className={effect.tone === 'skipped' ? 'warn-text' : effect.tone === 'none' ? 'soft' : ''}
                  >
                    {effect.text}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <Command text={commands.resetGroup(group, preview.reset)} />
    </section>
  );
}
