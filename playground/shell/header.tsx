import { DialogButton } from "./dialog-button.tsx"
import type { Mode, PageState, Theme } from "./page-state.ts"

const MODES: readonly (readonly [Mode, string])[] = [
  ["inspect", "Inspect"],
  ["replay", "Replay"],
]
const LIVE = ["live", "Live"] as const
const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" }

export const Header = ({ page }: { readonly page: PageState }) => (
  <header class="top">
    <h1>
      Sallyport <span>playground</span>
    </h1>
    <nav aria-label="Mode">
      {(page.isLive ? [...MODES, LIVE] : MODES).map(([mode, name]) => (
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
      <DialogButton page={page} dialog="examples">
        examples ▾
      </DialogButton>
      <DialogButton page={page} dialog="share">
        share
      </DialogButton>
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
