// Light, dark, or as the system says.
import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const order: Theme[] = ['system', 'light', 'dark'];

function stored(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function setTheme(theme: Theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === 'system') localStorage.removeItem('weft.theme');
    else localStorage.setItem('weft.theme', theme);
  } catch {
    // Storage is off: the choice lasts until the page is closed.
  }
}

export function useTheme(): { theme: Theme; next: () => void } {
  const [theme, show] = useState(stored);
  const next = () => {
    const chosen = order[(order.indexOf(theme) + 1) % order.length]!;
    setTheme(chosen);
    show(chosen);
  };
  return { theme, next };
}
