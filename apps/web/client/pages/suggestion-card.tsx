import { Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Suggestion } from '../api.ts';
import { CommandForm } from '../forms/command-form.tsx';
import { NO_CONTEXT } from '../forms/field.tsx';
import { catalogueQuery } from '../queries.ts';
import { Fact, Facts, When } from '../ticket/parts.tsx';
import { valueWords } from '../ticket/value-words.ts';
import { COMMAND_WORDS, FIELD_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { AGENT_WORDS } from '../words/people.ts';
import { wordFor } from '../words/plain.ts';

const ANSWERS = ['suggestion.accept', 'suggestion.reject'] as const;

/**
 * What an agent suggests, as its row says it, with yes and no. What is accepted is what is shown: the digest travels
 * with the yes. Where safety is at stake, the form asks once more.
 */
export function SuggestionCard({ suggestion }: { readonly suggestion: Suggestion }): ReactNode {
  const catalogue = useQuery(catalogueQuery);
  const [open, setOpen] = useState<string | null>(null);
  const form = catalogue.data?.commands.find((item) => item.name === open);
  const close = () => setOpen(null);
  return (
    <>
      <p>
        {wordFor(AGENT_WORDS, suggestion.agent_role)} {T.suggests}{' '}
        <strong>{wordFor(COMMAND_WORDS, suggestion.command)}</strong>
      </p>
      {suggestion.safety ? <p className="note">{T.suggestionSafety}</p> : null}
      <Facts>
        {Object.entries(suggestion.input).map(([name, value]) => (
          <Fact key={name} name={wordFor(FIELD_WORDS, name)}>
            {valueWords(name, value)}
          </Fact>
        ))}
        <Fact name={T.expires}>
          <When at={suggestion.expires_at} />
        </Fact>
      </Facts>
      <Group gap="xs">
        {ANSWERS.map((command) => (
          <Button
            key={command}
            size="sm"
            variant={command === 'suggestion.accept' ? 'filled' : 'default'}
            aria-expanded={command === open}
            onClick={() => setOpen(command === open ? null : command)}
          >
            {wordFor(COMMAND_WORDS, command)}
          </Button>
        ))}
      </Group>
      {form ? (
        <div className="open-action">
          <CommandForm
            key={form.name}
            form={form}
            targetId={suggestion.id}
            start={form.name === 'suggestion.accept' ? { digest: suggestion.digest } : {}}
            context={NO_CONTEXT}
            onDone={close}
            onClose={close}
          />
        </div>
      ) : null}
    </>
  );
}
