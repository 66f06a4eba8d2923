DROP FUNCTION mark_published;
