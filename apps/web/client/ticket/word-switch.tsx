import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { CommandForm } from '../forms/command-form.tsx';
import { NO_CONTEXT } from '../forms/field.tsx';
import { catalogueQuery, meQuery } from '../queries.ts';
import { COMMAND_HINTS, COMMAND_WORDS } from '../words/commands.ts';
import { wordFor } from '../words/plain.ts';

const COMMANDS_AT: ReadonlyMap<string, readonly string[]> = new Map([
  ['AGENT', ['conversation.take_over', 'conversation.close']],
  ['HUMAN', ['conversation.hand_back', 'conversation.close']],
]);

interface Talk {
  readonly conversationId: string;
  readonly state: string;
}

/** Who has the word in a conversation, to be taken or given back by whoever may; and its end. */
export function WordSwitch(props: Talk): ReactNode {
  return COMMANDS_AT.get(props.state)?.map((command) => (
    <WordCommand key={command} command={command} {...props} />
  ));
}

function WordCommand(props: Talk & { readonly command: string }): ReactNode {
  const catalogue = useQuery(catalogueQuery);
  const me = useQuery(meQuery);
  const [isOpen, setOpen] = useState(false);
  const form = catalogue.data?.commands.find((item) => item.name === props.command);
  if (!form?.roles.some((role) => me.data?.roles.includes(role))) return null;
  return (
    <>
      <Button size="sm" variant="light" mb="sm" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {wordFor(COMMAND_WORDS, form.name)}
      </Button>
      {isOpen ? (
        <div className="open-action">
          <p className="faint">{COMMAND_HINTS[form.name] ?? form.summary}</p>
          <CommandForm
            key={form.name}
            form={form}
            targetId={props.conversationId}
            context={NO_CONTEXT}
            onDone={() => setOpen(false)}
            onClose={() => setOpen(false)}
          />
        </div>
      ) : null}
    </>
  );
}
