// Texts to read: JSON, headers, differences.
import { Fragment, useMemo } from 'react';
import type { Header } from '../api/schema';
import { diffLines, foldDiff } from '../core/diff';
import { prettyJson, prettyJsonText } from '../core/json_text';
import { toYaml } from '../core/yaml_text';
import { CopyButton } from './parts';

export function JsonText({ text }: { text: string }) {
  const lines = useMemo(() => prettyJson(text), [text]);
  if (!lines) return <RawText text={text} />;
  return (
    <pre className="code wrap" tabIndex={0} aria-label="JSON">
      {lines.map((line, at) => (
        <span key={at}>
          {line.map((token, n) =>
            token.kind === 'space' ? (
              token.text
            ) : (
              <span key={n} className={token.kind}>
                {token.text}
              </span>
            ),
          )}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

export function RawText({ text }: { text: string }) {
  return (
    <pre className="code wrap" tabIndex={0} aria-label="Text">
      {text}
    </pre>
  );
}

/** A body whose type nobody told: JSON when it reads as such. */
export function BodyText({ text, cut }: { text: string | undefined; cut?: boolean | undefined }) {
  if (!text) return <p className="faint">Empty body</p>;
  return (
    <>
      <JsonText text={text} />
      {cut && <p className="faint small">The body was longer and is cut here.</p>}
    </>
  );
}

export function YamlText({ value }: { value: unknown }) {
  const lines = useMemo(() => toYaml(value), [value]);
  return (
    <pre className="code" tabIndex={0} aria-label="YAML">
      {lines.map((line, at) => {
        const match = /^(\s*(?:- )*)([^\s'"#|][^:]*|"[^"]*")(:)(?= |$)(.*)$/.exec(line);
        return (
          <span key={at}>
            {match ? (
              <>
                {match[1]}
                <span className="name">{match[2]}</span>
                <span className="mark">:</span>
                {match[4]}
              </>
            ) : (
              line
            )}
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}

export function CopyJson({ text }: { text: string }) {
  return <CopyButton text={prettyJsonText(text)} />;
}

/** A dotted name that wraps behind its dots. */
export function Dotted({ text }: { text: string }) {
  const parts = text.split(/(?<=\.)/);
  return (
    <>
      {parts.map((part, at) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </>
  );
}

export function Headers({ headers }: { headers: Header[] }) {
  if (headers.length === 0) return <p className="faint">No headers</p>;
  return (
    <dl className="headers">
      {headers.map((header, at) => (
        <div key={at} style={{ display: 'contents' }}>
          <dt>{header.name}</dt>
          <dd className={header.value === '[redacted]' ? 'faint' : ''}>{header.value}</dd>
        </div>
      ))}
    </dl>
  );
}

const signs = { same: ' ', removed: '−', added: '+' };

/** What changed between two documents, as YAML. */
export function Difference({ before, after }: { before: unknown; after: unknown }) {
  const parts = useMemo(() => {
    const lines = (value: unknown) => (value === null || value === undefined ? [] : toYaml(value));
    return foldDiff(diffLines(lines(before), lines(after)));
  }, [before, after]);
  return (
    <div className="diff" tabIndex={0} role="region" aria-label="Difference">
      <table>
        <tbody>
          {parts.map((part, n) =>
            'skipped' in part ? (
              <tr key={n} className="skipped">
                <td colSpan={4}>… {part.skipped} unchanged lines</td>
              </tr>
            ) : (
              part.lines.map((line, at) => (
                <tr key={`${n}:${at}`} className={line.kind}>
                  <td className="at">{line.before}</td>
                  <td className="at">{line.after}</td>
                  <td className="at sign">
                    {signs[line.kind]}
                    {line.kind !== 'same' && <span className="visually-hidden">{line.kind}</span>}
                  </td>
                  <td>{line.text}</td>
                </tr>
              ))
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
