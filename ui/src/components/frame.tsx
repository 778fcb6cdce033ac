import "./frame.css";
import { ActionIcon, Button, TextInput, useMantineColorScheme } from "@mantine/core";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { projectAddress } from "../project-address.ts";
import { useSession } from "../session.tsx";
import { formatInstant } from "./format.ts";
import { Empty } from "./loaded.tsx";
import { Mark } from "./mark.tsx";
import { PageHead } from "./page.tsx";
import { inLoopOrder, PAGES, pageAt, stageLink } from "./stages.ts";
import { ToneMark, toneOf } from "./state.tsx";
import { useLoop } from "./use-loop.ts";

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
          <Page pathname={pathname} />
        </main>
      </div>
    </div>
  );
}

/** The page, or one sentence where the server has not what it is about. */
function Page({ pathname }: { pathname: string }) {
  const { context } = useSession();
  const page = pageAt(pathname);
  if (page?.needsProject !== true || context.projectFile) return <Outlet />;
  return (
    <>
      <PageHead title={page.label} />
      <Empty title="This page needs a project file">
        <span>
          `orrery up` serves one; this server keeps <Link to="/runs">runs</Link> and <Link to="/models">models</Link> only.
        </span>
      </Empty>
    </>
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
          {PAGES.filter(({ needsProject }) => !needsProject || context.projectFile).map(({ to, label }) => (
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
        {context.projectFile ? null : <ProjectForm project={context.project} />}
      </div>
    </div>
  );
}

/** Another project of a server that keeps any number of them. */
function ProjectForm({ project }: { project: string }) {
  const [name, setName] = useState(project);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A page of its own: nothing that was asked for this project may be shown for the other.
    if (name.trim() !== "" && name.trim() !== project) location.assign(projectAddress(name.trim()));
  };
  return (
    <form onSubmit={submit} className="project-form">
      <TextInput size="xs" label="Project" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Button size="compact-xs" type="submit" variant="default">
        Go there
      </Button>
    </form>
  );
}

function Topbar() {
  const loop = useLoop();
  const { context } = useSession();
  return (
    <header className="topbar">
      {context.projectFile ? (
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
      ) : (
        <span className="muted small" style={{ flex: 1 }}>
          This server keeps runs and models; it has no project file.
        </span>
      )}
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
