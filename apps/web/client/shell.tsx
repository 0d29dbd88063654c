import { ActionIcon, Button, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type Me, Problem, send } from './api.ts';
import { Unread } from './pages/unread.tsx';
import { meQuery } from './queries.ts';
import { T } from './words/pages.ts';
import { ROLE_WORDS } from './words/people.ts';
import { wordFor } from './words/plain.ts';

const MAY_READ_REPORTS: readonly string[] = ['dispatcher', 'supervisor'];

/** Everything around the page; without a session only the way to get one. */
export function Shell(): ReactNode {
  const me = useQuery(meQuery);
  const signedOut = me.error instanceof Problem && me.error.code === 'unauthenticated';
  return (
    <>
      <a className="skip" href="#content">
        {T.skip}
      </a>
      <header className="top">
        <Link to="/" className="mark">
          <img src="/latch.svg" alt="" width="24" height="24" />
          {T.product}
        </Link>
        {me.data && !signedOut ? <Navigation me={me.data} /> : <SchemeButton />}
      </header>
      <main id="content" tabIndex={-1}>
        {signedOut ? (
          <section className="panel signed-out">
            <h1>{T.signedOutTitle}</h1>
            <p>{T.signedOutText}</p>
          </section>
        ) : me.data ? (
          <Outlet />
        ) : (
          <Unread query={me} />
        )}
      </main>
    </>
  );
}

function Navigation({ me }: { readonly me: Me }): ReactNode {
  const technician = me.roles.includes('technician');
  const roles = me.roles.map((role) => wordFor(ROLE_WORDS, role));
  return (
    <>
      <nav aria-label={T.product}>
        <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
          {technician ? T.myVisits : T.queue}
        </Link>
        {me.roles.some((role) => MAY_READ_REPORTS.includes(role)) ? (
          <>
            <Link to="/attention">{T.attention}</Link>
            <Link to="/reports">{T.reports}</Link>
          </>
        ) : null}
      </nav>
      <div className="who">
        <span className="who-name">
          {me.label}{' '}
          {roles.some((role) => !me.label.includes(role)) ? (
            <span className="faint">{roles.join(', ')}</span>
          ) : null}
        </span>
        <SchemeButton />
        <Button
          variant="default"
          size="sm"
          onClick={() => {
            // Whatever the answer, what was read for this person must leave the page.
            void send('/api/sign-out', me.csrf, {}).finally(() => window.location.assign('/'));
          }}
        >
          {T.signOut}
        </Button>
      </div>
    </>
  );
}

function SchemeButton(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const label = scheme === 'dark' ? T.toLight : T.toDark;
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}
    >
      <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true" fill="currentColor">
        <path d="M12 3a9 9 0 1 0 0 18V3Z" />
        <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" strokeWidth="2" />
      </svg>
    </ActionIcon>
  );
}
