-- Lists by amount: amounts compare within a currency alone.
CREATE INDEX CONCURRENTLY recoveries_by_amount ON recoveries (organization_id, currency, amount_minor, id);
