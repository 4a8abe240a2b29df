"""What all cases share: worker processes, alternating measurement, tables, the description of the machine."""
