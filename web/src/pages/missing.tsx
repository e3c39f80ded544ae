import { Link } from '../ui/router';

export function MissingPage() {
  return (
    <>
      <div className="page-head">
        <h1>No such page</h1>
      </div>
      <div className="panel empty">
        <p>
          The hub has no page at <code>{location.pathname}</code>. Go to the <Link to="/">overview</Link>, or
          press <kbd>Ctrl</kbd> <kbd>K</kbd> and type what you look for.
        </p>
      </div>
    </>
  );
}
