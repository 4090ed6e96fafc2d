import type { Mode, PageState, Theme } from "./page-state.ts"

const MODES: readonly (readonly [Mode, string])[] = [
  ["inspect", "Inspect"],
  ["replay", "Replay"],
]
const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" }

export const Header = ({ page }: { readonly page: PageState }) => (
  <header class="top">
    <h1>
      Sallyport <span>playground</span>
    </h1>
    <nav aria-label="Mode">
      {MODES.map(([mode, name]) => (
        <button
          key={mode}
          type="button"
          aria-current={page.mode.value === mode ? "page" : undefined}
          onClick={() => {
            page.mode.value = mode
          }}
        >
          {name}
        </button>
      ))}
    </nav>
    <div class="top-tools">
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => {
          page.dialog.value = "examples"
        }}
      >
        examples ▾
      </button>
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => {
          page.dialog.value = "share"
        }}
      >
        share
      </button>
      <button
        type="button"
        onClick={() => {
          page.theme.value = NEXT[page.theme.value]
        }}
      >
        theme: {page.theme.value}
      </button>
    </div>
  </header>
)
