DROP INDEX attempts_in_turn;
