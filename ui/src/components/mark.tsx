/** The mark: a sun, one orbit, one body on it. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="12" fill="none" stroke="currentColor" strokeOpacity="0.55" strokeWidth="1.6" />
      <circle cx="16" cy="16" r="4.6" fill="var(--o-brass-fill)" />
      <circle cx="24.5" cy="7.5" r="3.2" fill="currentColor" />
    </svg>
  );
}
