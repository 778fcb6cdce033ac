import "./frame.css";
import { ActionIcon, useMantineColorScheme } from "@mantine/core";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useSession } from "../session.tsx";
import { formatInstant } from "./format.ts";
import { Mark } from "./mark.tsx";
import { inLoopOrder, stageLink } from "./stages.ts";
import { ToneMark, toneOf } from "./state.tsx";
import { useLoop } from "./use-loop.ts";

const PAGES = [
  { to: "/", label: "Home" },
  { to: "/data", label: "Data" },
  { to: "/features", label: "Features" },
  { to: "/runs", label: "Runs" },
  { to: "/models", label: "Models" },
  { to: "/pipelines", label: "Pipelines" },
  { to: "/endpoints", label: "Endpoints" },
  { to: "/monitoring", label: "Monitoring" },
  { to: "/predictions", label: "Predictions" },
  { to: "/system", label: "System" },
] as const;

/** What stands around every page: the rail, and the loop across the top. */
export function Frame() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const previous = useRef(pathname);
  // A new page starts at its beginning for the keyboard as well, but not on the first load, where the browser decides.
  useEffect(() => {
    if (previous.current !== pathname) main.current?.focus({ preventScroll: true });
    previous.current = pathname;
  }, [pathname]);
  return (
    <div className="frame">
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <Rail />
      <div style={{ minWidth: 0 }}>
        <Topbar />
        <main id="main" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}

function Rail() {
  const { context } = useSession();
  return (
    <div className="rail">
      <Link to="/" className="brand">
        <Mark size={26} /> Orrery
      </Link>
      <nav aria-label="Pages">
        <ul className="rail-pages">
          {PAGES.map(({ to, label }) => (
            <li key={to}>
              <Link to={to} activeOptions={{ exact: to === "/" }}>
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="foot">
        <strong>{context.project}</strong>
        {context.workspace} workspace
        <br />
        version {context.version}
      </div>
    </div>
  );
}

function Topbar() {
  const loop = useLoop();
  return (
    <header className="topbar">
      <nav aria-label="The loop" style={{ flex: 1, minWidth: 0 }}>
        <ol className="strip">
          {inLoopOrder(loop.data?.stages ?? []).map(({ place, state }) => (
            <li key={place.stage}>
              <Link {...stageLink(place)} title={state.headline} activeProps={{}}>
                <span className={`state tone-${toneOf(state.state)}`}>
                  <ToneMark tone={toneOf(state.state)} />
                </span>
                {place.label}
                <span className="visually-hidden">: {state.state}</span>
              </Link>
            </li>
          ))}
        </ol>
      </nav>
      {loop.data === undefined ? null : (
        <span className="clock">
          {formatInstant(loop.data.now)}
          {loop.data.clock === "virtual" ? " (virtual)" : ""}
        </span>
      )}
      <SchemeToggle />
    </header>
  );
}

const NEXT_SCHEME = { auto: "light", light: "dark", dark: "auto" } as const;
const SCHEME_LABEL = { auto: "as the system", light: "light", dark: "dark" } as const;
const SCHEME_SIGN = { auto: "◐", light: "☀", dark: "☾" } as const;

function SchemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <ActionIcon
      variant="default"
      aria-label={`Colours: ${SCHEME_LABEL[colorScheme]}. Change to ${SCHEME_LABEL[NEXT_SCHEME[colorScheme]]}.`}
      title={`Colours: ${SCHEME_LABEL[colorScheme]}`}
      onClick={() => setColorScheme(NEXT_SCHEME[colorScheme])}
    >
      {SCHEME_SIGN[colorScheme]}
    </ActionIcon>
  );
}
