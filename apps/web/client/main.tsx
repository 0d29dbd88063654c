import '@mantine/core/styles.css';
import './styles.css';
import { createTheme, type MantineColorsTuple, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { createQueries } from './queries.ts';
import { createConsoleRouter } from './router.tsx';

const brass: MantineColorsTuple = [
  '#fdf5e6',
  '#f7e7c8',
  '#eecd92',
  '#e4b159',
  '#dc9a31',
  '#c07d17',
  '#9c6210',
  '#7d4e0d',
  '#5f3b0b',
  '#3f2707',
];

const theme = createTheme({
  primaryColor: 'brass',
  // Both carry white text at more than 4.5 : 1, pressed or not.
  primaryShade: { light: 7, dark: 6 },
  colors: { brass },
  defaultRadius: 'sm',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'SF Mono', Menlo, 'Noto Sans Mono', monospace",
});

const root = document.getElementById('root');
// The server puts a fresh nonce into the page; without it the strict policy lets no style element through.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '';
if (root) {
  const queries = createQueries();
  createRoot(root).render(
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={createConsoleRouter()} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}
