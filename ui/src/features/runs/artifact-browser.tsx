import "./artifact-browser.css";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Run } from "../../../../src/contract/index.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { formatBytes, shortId } from "../../components/format.ts";
import { Empty, Loaded } from "../../components/loaded.tsx";
import { useSession } from "../../session.tsx";
import { type FileEntry, framedDocument, type Opened, openPath, type Preview, prettyJson, previewOf } from "./artifacts.ts";

interface ArtifactBrowserProps {
  run: Run;
  /** What is open, as the address says. */
  path: string;
}

export function ArtifactBrowser({ run, path }: ArtifactBrowserProps) {
  if (run.artifacts.length === 0) {
    return (
      <Empty title="No artifacts">
        {run.artifactUri.startsWith("mlflow-artifacts:") ? null : <>They lie at {run.artifactUri}, not on this server.</>}
      </Empty>
    );
  }
  const opened = openPath(run.artifacts, path);
  return (
    <div className="artifact-browser">
      <Listing id={run.id} opened={opened} />
      {opened.file === null ? (
        <Empty title="Choose a file to look into it" />
      ) : (
        <OpenFile key={opened.file.path} id={run.id} file={opened.file} />
      )}
    </div>
  );
}

function Listing({ id, opened: { trail, folders, files, file } }: { id: string; opened: Opened }) {
  const to = (artifact: string) =>
    ({ to: "/runs/$id", params: { id }, search: artifact === "" ? {} : { artifact }, resetScroll: false }) as const;
  return (
    <nav aria-label="Artifacts" className="artifact-listing">
      <p className="small">
        {trail.map(({ name, path }, index) => (
          <span key={path}>
            {index === 0 ? null : " / "}
            <Link {...to(path)}>{name}</Link>
          </span>
        ))}
      </p>
      <ul>
        {folders.map(({ name, path, files: count, bytes }) => (
          <li key={path}>
            <Link {...to(path)} activeProps={{}}>
              {name}/
            </Link>
            <span className="muted small num">
              {count === 1 ? "1 file" : `${count} files`}, {formatBytes(bytes)}
            </span>
          </li>
        ))}
        {files.map(({ name, path, bytes }) => (
          <li key={path} className={path === file?.path ? "open" : ""}>
            <Link {...to(path)} activeProps={{}} aria-current={path === file?.path ? "true" : undefined}>
              {name}
            </Link>
            <span className="muted small num">{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function OpenFile({ id, file }: { id: string; file: FileEntry }) {
  const preview = previewOf(file);
  return (
    <section className="stack" aria-label={file.name}>
      <div className="row" style={{ justifyContent: "space-between" }}>
        <div>
          <strong>{file.name}</strong>
          <br />
          <span className="muted small">
            {file.mediaType}, {formatBytes(file.bytes)}, SHA-256 <code title={file.sha256}>{shortId(file.sha256)}</code>
          </span>
        </div>
        <Download id={id} file={file} />
      </div>
      {preview.kind === "none" ? <Empty title={preview.why} /> : <Shown id={id} file={file} preview={preview} />}
    </section>
  );
}

/** Through the page, because a link could not carry the token. */
function Download({ id, file: { path, name } }: { id: string; file: FileEntry }) {
  const { readRunFile } = useSession();
  const download = useMutation({
    mutationFn: async () => {
      const url = URL.createObjectURL(await (await readRunFile({ id, path })).blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      // The browser has taken hold of it by then.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  });
  return (
    <div>
      <Button size="compact-sm" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
        Download
      </Button>
      {download.error === null ? null : <ErrorNotice error={download.error} />}
    </div>
  );
}

interface ShownProps {
  id: string;
  file: FileEntry;
  preview: Exclude<Preview, { kind: "none" }>;
}

function Shown({ id, file, preview }: ShownProps) {
  const { readRunFile } = useSession();
  const content = useQuery({
    queryKey: ["run", id, "file", file.path, file.sha256],
    queryFn: async () => {
      if (preview.kind === "image") {
        return asDataUrl(await (await readRunFile({ id, path: file.path })).blob(), preview.mediaType);
      }
      return (await readRunFile({ id, path: file.path, most: preview.most })).text();
    },
    staleTime: Number.POSITIVE_INFINITY,
    // A few large files would otherwise stay for five minutes.
    gcTime: 30_000,
  });
  return (
    <Loaded query={content}>
      {(text) => {
        switch (preview.kind) {
          case "image":
            return <img className="artifact-image" src={text} alt={file.name} />;
          case "html":
            return (
              <>
                <iframe className="artifact-page" title={file.name} sandbox="" srcDoc={framedDocument(text)} />
                <p className="small muted">Its scripts do not run here, and it loads nothing. Download it to see it whole.</p>
              </>
            );
          default:
            return (
              <>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
                <pre className="artifact-text" tabIndex={0}>
                  {preview.kind === "json" ? prettyJson(text) : text}
                </pre>
                {file.bytes > preview.most ? (
                  <p className="small muted">
                    The first {formatBytes(preview.most)} of {formatBytes(file.bytes)}.
                  </p>
                ) : null}
              </>
            );
        }
      }}
    </Loaded>
  );
}

/** Content policy lets pictures come from data: addresses, and not from blobs. */
function asDataUrl(blob: Blob, mediaType: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("The file could not be read"));
    reader.readAsDataURL(new Blob([blob], { type: mediaType }));
  });
}
