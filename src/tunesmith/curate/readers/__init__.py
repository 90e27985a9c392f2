"""What raw data looks like in companies: tables, tickets, mail, chats, documents, code; a reader for each."""
